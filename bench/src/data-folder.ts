import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Types of file systems that keep their files in memory (`statfs`): tmpfs and ramfs. */
const IN_MEMORY = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

/** A new folder for one run's data, on a disk: syncing what is in memory costs nothing and says nothing. */
export class DataFolder {
  readonly path: string;

  /** @throws Error when `parent` is kept in memory */
  constructor(parent: string = tmpdir()) {
    const kind = IN_MEMORY.get(statfsSync(parent).type);
    if (kind !== undefined) throw new Error(`${parent} is in memory (${kind}): name a folder on a disk with --folder.`);
    this.path = mkdtempSync(join(parent, "tandem-bench-"));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
