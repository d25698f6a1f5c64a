import { existsSync } from "node:fs";
import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";

const PATH = process.env.TANDEM_TEST_CHROMIUM || "/usr/bin/chromium";

/** Is there a browser to test with? `npm test` installs Debian's where it may. */
export const hasChromium = existsSync(PATH);

const OPTIONS = {
  executablePath: PATH,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** Starts Debian's Chromium, quiet on the network. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(OPTIONS);
}

/** The same, to be killed as a crash would: without a word to anybody. */
export async function launchMortalChromium(): Promise<{ browser: Browser; kill(): Promise<void> }> {
  const server = await chromium.launchServer(OPTIONS);
  return { browser: await chromium.connect(server.wsEndpoint()), kill: () => server.kill() };
}
