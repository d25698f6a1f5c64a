/**
 * Ends the connection with the page, so that the others see at once that its reader has left: a browser by itself says nothing, and
 * they would wait for one who was lost. It may keep the page, and show it again as it was: then the reader comes back.
 */
export function liveWithPage(connection: { pause(): void; resume(): void }): void {
  addEventListener("pagehide", () => connection.pause());
  addEventListener("pageshow", () => connection.resume());
}
