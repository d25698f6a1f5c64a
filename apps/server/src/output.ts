/** Where a command writes: results on standard output, everything else on standard error. */
export interface Output {
  /** One result: `value` as one line of JSON with `--json`, else the text. */
  result(value: unknown, text: string): void;
  /** Something to know that is no result. Nothing with `--json`. */
  note(text: string): void;
  /** How far long work is, on a terminal only: one line that is written over. Call with `undefined` when it is done. */
  progress(text: string | undefined): void;
}

export function terminalOutput(json: boolean): Output {
  const { stdout, stderr } = process;
  return {
    result: (value, text) => void stdout.write(`${json ? JSON.stringify(value) : text}\n`),
    note(text) {
      if (!json) stderr.write(`${text}\n`);
    },
    progress(text) {
      if (!json && stderr.isTTY) stderr.write(`\r\u001b[K${text ?? ""}`);
    },
  };
}

/** Rows in columns. Numbers stand at the right. Control characters of what came from outside are escaped. */
export function table(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [titles, ...rows.map((row) => row.map((cell) => printable(String(cell))))];
  const widths = titles.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const isNumber = titles.map((_, at) => rows.every((row) => typeof row[at] === "number"));
  return cells
    .map((row) =>
      row
        .map((cell, at) => (isNumber[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A text that cannot rewrite the terminal it is shown on. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
}

/** Bytes for eyes: `1.5 MB`. */
export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** unit;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
