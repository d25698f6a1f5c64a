import * as v from "valibot";

/** A producer's id: `{mint time, base 36}-{22 random letters}`. Secret to its client; bound to tenant and user by the log. */
export const ProducerIdSchema = v.pipe(v.string(), v.regex(/^[0-9a-z]{8,10}-[A-Za-z0-9_-]{22}$/));

/** A producer's sequence number on one channel: contiguous from 1. */
export const SeqSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Makes a producer's id. `now`: the server's time in milliseconds as far as it is known; `random`: 22 base64url letters. */
export function mintProducer(now: number, random: string): string {
  return `${Math.max(0, Math.floor(now)).toString(36).padStart(8, "0")}-${random}`;
}

/** When a producer was minted, in milliseconds since 1970. */
export function mintedAt(producer: string): number {
  return Number.parseInt(producer.slice(0, producer.indexOf("-")), 36);
}
