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
