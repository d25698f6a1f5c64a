/** What waits here for a connection: messages, and changes of what is shared beside them. At least one of them is there. */
export function waitingWords(messages: number, changes: number): string {
  const parts = [counted(messages, "message"), counted(changes, "change")].filter((part) => part !== "");
  return `${parts.join(" and ")} ${messages + changes === 1 ? "waits" : "wait"} here, to go out in order.`;
}

function counted(count: number, noun: string): string {
  if (count === 0) return "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
