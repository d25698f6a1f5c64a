#!/usr/bin/env node
import { run } from "./program.ts";

// Who reads our output may have had enough of it (`tandem tail … | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
process.exitCode = await run(process.argv.slice(2), process.env);
