import { describe, expect, it } from "vitest";
import { Emitter } from "./emitter.ts";
import { Cell } from "./store.ts";

describe("an emitter", () => {
  it("calls every listener once, in order, until it is ended", () => {
    const emitter = new Emitter<number>(() => {});
    const seen: string[] = [];
    const end = emitter.on((value) => seen.push(`a${value}`));
    emitter.on((value) => seen.push(`b${value}`));
    emitter.emit(1);
    end();
    end();
    emitter.emit(2);
    expect(seen).toEqual(["a1", "b1", "b2"]);
    expect(emitter.size).toBe(1);
  });

  it("a listener that throws keeps no other from being called", () => {
    const errors: unknown[] = [];
    const emitter = new Emitter<number>((error) => errors.push(error));
    const seen: number[] = [];
    emitter.on(() => {
      throw new Error("mine");
    });
    emitter.on((value) => seen.push(value));
    emitter.emit(1);
    expect(seen).toEqual([1]);
    expect(errors).toEqual([new Error("mine")]);
  });
});

describe("a cell", () => {
  it("tells of each change once, and of none where nothing changed", () => {
    const cell = new Cell(1);
    const seen: number[] = [];
    const end = cell.subscribe(() => seen.push(cell.get()));
    cell.set(2);
    cell.set(2);
    cell.set(Number.NaN);
    cell.set(Number.NaN);
    end();
    cell.set(3);
    expect(seen).toEqual([2, Number.NaN]);
    expect(cell.get()).toBe(3);
  });

  it("a listener that throws is told to whoever asked for that, and keeps no other from being called", () => {
    const errors: unknown[] = [];
    const cell = new Cell(1, (error) => errors.push(error));
    let called = 0;
    cell.subscribe(() => {
      throw new Error("mine");
    });
    cell.subscribe(() => called++);
    cell.set(2);
    expect([called, errors.length]).toEqual([1, 1]);
  });

  it("its methods may be taken from it", () => {
    const { get, subscribe } = new Cell("a");
    expect(get()).toBe("a");
    expect(typeof subscribe(() => {})).toBe("function");
  });

  it("who begins to listen while it tells is told of the next change, and who ends of none: also the one that is told", () => {
    const cell = new Cell(0);
    const seen: string[] = [];
    const anew = () => {
      end();
      seen.push(`a${cell.get()}`);
      if (seen.length < 100) end = cell.subscribe(anew);
      endOther();
    };
    let end = cell.subscribe(anew);
    const endOther = cell.subscribe(() => seen.push("b"));
    cell.set(1);
    cell.set(2);
    expect(seen).toEqual(["a1", "a2"]);
    const emitter = new Emitter<number>(() => {});
    const again = (value: number) => {
      endIt();
      seen.push(`c${value}`);
      if (seen.length < 100) endIt = emitter.on(again);
    };
    let endIt = emitter.on(again);
    emitter.emit(1);
    expect(seen).toEqual(["a1", "a2", "c1"]);
  });
});
