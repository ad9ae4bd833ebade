/** NotificationResponse: the server delivers what another session sent by NOTIFY. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface NotificationResponse {
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

export function decodeNotificationResponse(buffer: Buffer, start: number, end: number): NotificationResponse {
  const reader = new MessageReader('NotificationResponse', buffer, start, end);
  const processId = reader.uint32();
  const channel = reader.string();
  const payload = reader.string();
  reader.finish();
  return { processId, channel, payload };
}

export function encodeNotificationResponse(notification: NotificationResponse): Buffer {
  return new MessageWriter(BACKEND.notificationResponse)
    .uint32(notification.processId)
    .string(notification.channel)
    .string(notification.payload)
    .finish();
}
