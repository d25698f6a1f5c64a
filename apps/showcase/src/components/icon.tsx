const PATHS = {
  queued: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M8 5v3.2l2 1.3",
  sent: "m3.2 8.6 3 3 6.6-7.2",
  durable: "m1.2 8.8 2.9 2.9 6-6.9M7.6 11.3l.6.5 6.6-7",
  rejected: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M8 5v3.4M8 10.9v.2",
  unknown: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M6.4 6.5A1.7 1.7 0 1 1 8 8.4v.5M8 11v.1",
  send: "M2.6 8 13.4 3 10.2 13.4 7.6 8.9zM7.6 8.9 13.2 3.2",
  down: "M8 2.8v10M3.8 8.8 8 13l4.2-4.2",
  swap: "m5 6 3-3 3 3M5 10l3 3 3-3",
  window: "M2.2 4.6h8.2v7.2H2.2zM5.6 4.4V2.4h8.2v7.2h-3.2",
  votes: "M2.6 13.4h10.8M4.4 13V8.6M8 13V3M11.6 13V6.2",
  board: "M2.6 4.2l1 1 1.8-2M2.6 9l1 1 1.8-2M7.8 4.4h5.6M7.8 9.2h5.6M2.8 13.4h10.6",
  note: "M3.4 2.6h9.2v7l-3.6 3.8H3.4zM9 13.2V9.6h3.4M5.8 5.6h4.4M5.8 8h2",
  jobs: "M8 2.4v2M8 11.6v2M2.4 8h2M11.6 8h2M4 4l1.4 1.4M10.6 10.6 12 12M12 4l-1.4 1.4M5.4 10.6 4 12M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6",
  close: "m3.8 3.8 8.4 8.4M12.2 3.8l-8.4 8.4",
  undo: "M5.6 3 2.8 5.8l2.8 2.8M3 5.8h6a3.6 3.6 0 0 1 0 7.2H5.6",
  redo: "m10.4 3 2.8 2.8-2.8 2.8M13 5.8H7a3.6 3.6 0 0 0 0 7.2h3.4",
  grip: "M6 4v.1M10 4v.1M6 8v.1M10 8v.1M6 12v.1M10 12v.1",
  add: "M8 3v10M3 8h10",
  lock: "M4 7.2h8v6H4zM5.6 7V5.2a2.4 2.4 0 0 1 4.8 0V7",
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing beside words that say the same: hidden from screen readers. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
