import { hash } from "node:crypto";

/** The digest that nodes are given, and by which the simulator names what they name. */
export function digest(text: string): string {
  return hash("sha256", text, "base64url");
}
