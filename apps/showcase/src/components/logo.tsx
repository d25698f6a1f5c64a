/** Tandem's sign: two rings that hold each other. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" role="img" aria-label="Tandem">
      <rect width="32" height="32" rx="9" />
      <circle cx="12.5" cy="16" r="6" />
      <circle className="second" cx="19.5" cy="16" r="6" />
    </svg>
  );
}
