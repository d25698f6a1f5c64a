import { useEffect, useState } from "react";
import { startOfDay } from "./time-words.ts";

/** When today began. Changes at midnight, and on coming back to the page on a later day. */
export function useToday(): number {
  const [today, setToday] = useState(() => startOfDay(Date.now()));
  useEffect(() => {
    const look = () => setToday(startOfDay(Date.now()));
    const timer = setInterval(look, 60_000);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return today;
}
