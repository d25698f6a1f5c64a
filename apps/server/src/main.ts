#!/usr/bin/env -S node --max-semi-space-size=4
// The young generation is kept small: Node.js would let it grow to some 100 MB whenever many clients come at once, and keep that.
import { run } from "./program.ts";

// Who reads our output may have had enough of it (`tandem tail … | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
process.exitCode = await run(process.argv.slice(2), process.env);
