import { hueOf, initialsOf } from "../components/avatar.tsx";
import type { CursorMove } from "../people/people.ts";
import { CursorPath } from "./cursor-path.ts";

/** Room for a name on the right of a pointer, in pixels; with less it stands on the left. */
const LABEL = 150;

/** The size of what is drawn on, in pixels. `spare`: how far it reaches beyond either edge of the column. */
export interface Surface {
  readonly width: number;
  readonly height: number;
  readonly spare: number;
}

/** One pointer on the page: an arrow with a name, of which only the transform changes while it moves. */
export class CursorMark {
  readonly element = document.createElement("div");
  readonly #path: CursorPath;
  readonly #label = part("cursor-label");
  /** In the place of the name where there are very many. */
  readonly #initials = part("cursor-label cursor-initials");
  #left = Number.NaN;
  #top = Number.NaN;
  #shown = false;
  #turned = false;

  constructor(move: CursorMove, now: number) {
    this.#path = new CursorPath(move.place ?? { x: 0, y: 0 }, now);
    this.element.className = "cursor";
    this.element.style.setProperty("--hue", String(hueOf(move.user)));
    this.element.dataset.cursor = move.device;
    this.element.append(arrow(), this.#label, this.#initials);
    this.#name(move.name);
  }

  move({ place, name }: CursorMove, now: number, glides: boolean): void {
    this.#name(name);
    if (place) this.#path.moveTo(place, now, glides);
  }

  #name(name: string): void {
    if (this.#label.textContent === name) return;
    this.#label.textContent = name;
    this.#initials.textContent = initialsOf(name);
  }

  /** Puts it where it is at this moment. @returns whether it has to be looked at again */
  draw(now: number, { width, height, spare }: Surface): boolean {
    const shown = this.#path.isShown(now);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.element.classList.toggle("cursor-shown", shown);
    }
    if (!shown) return false;
    const left = Math.min(width + spare - 8, Math.max(-spare, this.#path.x(now) * width));
    const top = Math.min(height - 8, this.#path.y(now) * height);
    if (left === this.#left && top === this.#top) return true;
    this.#left = left;
    this.#top = top;
    this.element.style.transform = `translate3d(${left.toFixed(1)}px,${top.toFixed(1)}px,0)`;
    const turned = left > width + spare - LABEL;
    if (turned !== this.#turned) {
      this.#turned = turned;
      this.element.classList.toggle("cursor-turned", turned);
    }
    return true;
  }
}

function part(className: string): HTMLElement {
  const element = document.createElement("span");
  element.className = className;
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function arrow(): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 18 20");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M1.5 1.5 6.4 17.6 9.3 10.6 16.4 8.2Z");
  svg.append(path);
  return svg;
}
