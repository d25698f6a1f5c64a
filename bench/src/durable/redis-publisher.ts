import { once } from "node:events";
import { connect } from "node:net";
import type { Publisher, PublisherEvents } from "./load.ts";
import { PAYLOAD } from "./work.ts";

/**
 * Publishes once: a sequence number at or below the producer's mark is answered with the entry that it made (the last 256 are
 * kept, as in Tandem's log), the next one is added, one further ahead is refused. The same promise in the fewest calls; it does
 * without the digest by which Tandem notices another body under a used number.
 */
export const SCRIPT = `
local seq = tonumber(ARGV[1])
local slot = tostring(seq % 256)
local mark = tonumber(redis.call('HGET', KEYS[2], 'mark') or '0')
if seq <= mark then
  if mark - seq >= 256 then return redis.error_reply('UNKNOWN too long ago') end
  return redis.call('HGET', KEYS[2], slot)
end
if seq > mark + 1 then return redis.error_reply('OUTOFSEQUENCE ' .. (mark + 1)) end
local entry = redis.call('XADD', KEYS[1], '*', 'data', ARGV[2])
redis.call('HSET', KEYS[2], 'mark', ARGV[1], slot, entry)
return entry`;

/**
 * A publisher on Redis: commands written one after the other without waiting for replies (pipelining, as Redis documents it),
 * all of a turn in one write.
 */
export async function connectRedis(
  port: number,
  channel: string,
  producer: string,
  sha: string,
  events: PublisherEvents,
): Promise<Publisher> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.setEncoding("latin1");
  const head = `*7\r\n$7\r\nEVALSHA\r\n${bulk(sha)}${bulk("2")}${bulk(channel)}${bulk(producer)}`;
  const tail = bulk(PAYLOAD);
  let seq = 0;
  let rest = "";
  let closing = false;
  socket.on("data", (data: string) => {
    rest += data;
    try {
      const { replies, taken } = countReplies(rest);
      rest = rest.slice(taken);
      if (replies > 0) events.acknowledged(replies);
    } catch (error) {
      events.failed(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on("error", (error) => events.failed(error));
  socket.on("close", () => {
    if (!closing) events.failed(new Error("Redis closed a publisher's connection"));
  });
  await once(socket, "connect");
  return {
    publish(count) {
      let commands = "";
      for (let at = 0; at < count; at++) commands += `${head}${bulk(String(++seq))}${tail}`;
      socket.write(commands, "latin1");
    },
    async close() {
      closing = true;
      if (socket.closed) return;
      const closed = once(socket, "close");
      socket.end();
      await closed;
    },
  };
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/**
 * How many whole bulk strings a piece of Redis' answers begins with, and the characters they take.
 *
 * @throws Error on any other kind of reply
 */
export function countReplies(text: string): { readonly replies: number; readonly taken: number } {
  let replies = 0;
  let taken = 0;
  while (taken < text.length) {
    const end = text.indexOf("\r\n", taken);
    if (end === -1) break;
    if (text[taken] !== "$") throw new Error(`Redis answered ${text.slice(taken, end)}`);
    const next = end + 2 + Number(text.slice(taken + 1, end)) + 2;
    if (next > text.length) break;
    taken = next;
    replies++;
  }
  return { replies, taken };
}
