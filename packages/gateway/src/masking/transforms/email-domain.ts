const DOMAIN = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

/** `***@example.com`: the part before the `@` disappears with its length. Undefined: it is not one address and nothing else. */
export function emailDomain(text: string): string | undefined {
  const address = text.trim();
  const at = address.indexOf('@');
  const domain = address.slice(at + 1);
  if (at < 1 || !domain.includes('.') || !DOMAIN.test(domain)) return undefined;
  return `***@${domain}`;
}
