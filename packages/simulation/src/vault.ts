import { chainTag } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Vault } from "@tandem/server/core";

/** A vault whose chance is the simulation's: it hides nothing from who knows how, and tells whether a key is the right one. */
export function virtualVault(runtime: Pick<Runtime, "randomId">): Vault {
  return {
    newKey: () => runtime.randomId(),
    seal(key, text) {
      const nonce = runtime.randomId();
      return `${nonce}.${mask(`${check(text)}${text}`, `${key}${nonce}`)}`;
    },
    open(key, sealed) {
      const [nonce = "", masked = ""] = sealed.split(".");
      const text = unmask(masked, `${key}${nonce}`);
      return text.slice(0, 8) === check(text.slice(8)) ? text.slice(8) : undefined;
    },
  };
}

function check(text: string): string {
  return chainTag("", text);
}

function mask(text: string, seed: string): string {
  return apply(Buffer.from(text), seed).toString("base64url");
}

function unmask(masked: string, seed: string): string {
  return apply(Buffer.from(masked, "base64url"), seed).toString();
}

function apply(bytes: Buffer, seed: string): Buffer {
  let block = chainTag("", seed);
  for (let at = 0; at < bytes.length; at++) {
    if (at % 8 === 0 && at > 0) block = chainTag(block, seed);
    bytes[at] = (bytes[at] ?? 0) ^ block.charCodeAt(at % 8);
  }
  return bytes;
}
