import { errorOf } from "@tandem/protocol";
import type { Log } from "./log.ts";

type Method = keyof Log;

/** A log that counts what it is asked, and that can be made to fail or to wait. */
export interface WatchedLog {
  readonly log: Log;
  readonly calls: { readonly method: Method; readonly about: unknown }[];
  /** Methods that fail now; `after`: only after they took effect. */
  failing: Partial<Record<Method, "before" | "after" | "twice">>;
  /** Methods that wait until this is let go. */
  held: Partial<Record<Method, Promise<void>>>;
  /** Methods whose answers wait until this is let go. */
  late: Partial<Record<Method, Promise<void>>>;
  count(method: Method, about?: unknown): number;
}

export function watched(inner: Log): WatchedLog {
  const calls: { method: Method; about: unknown }[] = [];
  const watch: Omit<WatchedLog, "log"> = {
    calls,
    failing: {},
    held: {},
    late: {},
    count: (method, about) =>
      calls.filter((call) => call.method === method && (about === undefined || call.about === about)).length,
  };
  const log = new Proxy(inner, {
    get: (target, method: Method) => {
      if (method === "health") return () => target.health();
      return async (...args: never[]) => {
        calls.push({ method, about: args[0] });
        await watch.held[method];
        const failing = watch.failing[method];
        const broken = () => errorOf("storage-unavailable");
        if (failing === "before") throw broken();
        // Takes effect, loses its answer, is asked again: what is answered is the second attempt.
        if (failing === "twice") await (target[method] as (...args: never[]) => unknown)(...args);
        const answer = await (target[method] as (...args: never[]) => unknown)(...args);
        await watch.late[method];
        if (failing === "after") throw broken();
        return answer;
      };
    },
  });
  return Object.assign(watch, { log });
}
