/** The port that remembers, over reloads of a page, which transport worked. Neither call throws. */
export interface RoadMemory {
  get(): string | null;
  /** `null` forgets. */
  set(value: string | null): void;
}

const KEY = "tandem.transport";

/** Remembers in the page's `localStorage`; where there is none, or none is allowed, nothing is remembered. */
export const storedMemory: RoadMemory = {
  get() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  set(value) {
    try {
      if (value === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, value);
    } catch {
      // It is tried anew at the next page.
    }
  },
};
