/** `08:00:2b:01:02:03` */
export function macText(bytes: Buffer): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

const IPV4_BITS = 32;
const IPV6_BITS = 128;

/** inet and cidr: family, bits of the mask, whether cidr, length, address. A full mask is shown by cidr only. Undefined: malformed. */
export function ipText(bytes: Buffer): string | undefined {
  const [, mask, isCidr, length] = bytes;
  const address = bytes.subarray(4);
  if (address.length !== length || (length !== 4 && length !== 16)) return undefined;
  const text = length === 4 ? address.join('.') : ipv6Text(address);
  const isFull = mask === (length === 4 ? IPV4_BITS : IPV6_BITS);
  return isFull && isCidr === 0 ? text : `${text}/${mask}`;
}

/** The longest run of at least two zero groups is `::`; the first of equal ones. Addresses of IPv4 inside keep their dots (inet_net_ntop). */
function ipv6Text(address: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2));
  const { start, length } = longestZeros(groups);
  const isEmbedded = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  const shown = isEmbedded ? groups.slice(0, 6) : groups;
  const texts = shown.map((group) => group.toString(16));
  if (isEmbedded) texts.push(address.subarray(12).join('.'));
  if (length < 2) return texts.join(':');
  return `${texts.slice(0, start).join(':')}::${texts.slice(start + length).join(':')}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
