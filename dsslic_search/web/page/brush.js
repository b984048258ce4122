// A painting: class ids on a small canvas, and what brushes do to it.

export const ANYTHING = 255;
const MOST_UNDONE = 40;

export class Painting {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.cells = new Uint8Array(width * height).fill(ANYTHING);
    this.past = [];
  }

  get isEmpty() {
    return this.cells.every((cell) => cell === ANYTHING);
  }

  /** Remembers how it is now, to come back to. */
  remember() {
    this.past.push(this.cells.slice());
    if (this.past.length > MOST_UNDONE) this.past.shift();
  }

  undo() {
    const before = this.past.pop();
    if (before) this.cells = before;
    return Boolean(before);
  }

  clear() {
    this.remember();
    this.cells.fill(ANYTHING);
  }

  /** A round dab, and with `mirrored` its mirror image. */
  dab(x, y, radius, label, mirrored) {
    this.#disc(x, y, radius, label);
    if (mirrored) this.#disc(this.width - 1 - x, y, radius, label);
  }

  #disc(x, y, radius, label) {
    const reach = Math.ceil(radius);
    const squared = (radius + 0.25) ** 2;
    for (
      let row = Math.max(Math.floor(y) - reach, 0);
      row <= Math.min(Math.floor(y) + reach, this.height - 1);
      row++
    ) {
      for (
        let col = Math.max(Math.floor(x) - reach, 0);
        col <= Math.min(Math.floor(x) + reach, this.width - 1);
        col++
      ) {
        if ((row - y) ** 2 + (col - x) ** 2 <= squared) this.cells[row * this.width + col] = label;
      }
    }
  }

  /** Dabs along a line. */
  stroke(from, to, radius, label, mirrored) {
    const steps = Math.max(Math.ceil(Math.hypot(to.x - from.x, to.y - from.y)), 1);
    for (let i = 1; i <= steps; i++) {
      const part = i / steps;
      this.dab(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part, radius, label, mirrored);
    }
  }

  /** All cells that are joined to one, by sides, and of its class. */
  fill(x, y, label, mirrored) {
    this.#flood(Math.floor(x), Math.floor(y), label);
    if (mirrored) this.#flood(this.width - 1 - Math.floor(x), Math.floor(y), label);
  }

  #flood(x, y, label) {
    const { width, height, cells } = this;
    const start = y * width + x;
    const old = cells[start];
    if (old === undefined || old === label) return;
    const todo = [start];
    cells[start] = label;
    while (todo.length) {
      const at = todo.pop();
      const column = at % width;
      const near = [
        column > 0 && at - 1,
        column < width - 1 && at + 1,
        at >= width && at - width,
        at + width,
      ];
      for (const next of near) {
        if (next === false || next >= width * height || cells[next] !== old) continue;
        cells[next] = label;
        todo.push(next);
      }
    }
  }

  /** Left and right exchanged. */
  flip() {
    this.remember();
    for (let row = 0; row < this.height; row++) {
      this.cells.subarray(row * this.width, (row + 1) * this.width).reverse();
    }
  }

  /** The same painting with other sides, stretched. */
  resized(width, height) {
    const other = new Painting(width, height);
    for (let y = 0; y < height; y++) {
      const row = Math.floor((y * this.height) / height) * this.width;
      for (let x = 0; x < width; x++) {
        other.cells[y * width + x] = this.cells[row + Math.floor((x * this.width) / width)];
      }
    }
    return other;
  }

  /** Rows of class ids, null where anything may be. */
  rows() {
    return Array.from({ length: this.height }, (_, y) =>
      Array.from(this.cells.subarray(y * this.width, (y + 1) * this.width), (id) =>
        id === ANYTHING ? null : id,
      ),
    );
  }
}
