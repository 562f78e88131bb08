// Draws a heat map as the server does: attribution/maps/resize.py and overlay.py, within one level of 255.

export const RENDERER = "canvas 1";

const A = -0.75;
const OPACITY = 0.85;
const { abs, floor, fround, max, min, round } = Math;

function kernel(distance) {
  if (distance <= 1) return ((A + 2) * distance - (A + 3)) * distance ** 2 + 1;
  return A * (((distance - 5) * distance + 8) * distance - 4);
}

// For each of `target` pixels the four source pixels that it is made of, and their weights.
function taps(source, target) {
  const places = new Int32Array(4 * target);
  const weights = new Float32Array(4 * target);
  const step = fround(source / target);
  for (let pixel = 0; pixel < target; pixel++) {
    const centre = fround(fround((pixel + 0.5) * step) - 0.5);
    for (let tap = 0; tap < 4; tap++) {
      const place = floor(centre) + tap - 1;
      places[4 * pixel + tap] = min(max(place, 0), source - 1);
      weights[4 * pixel + tap] = kernel(abs(centre - place));
    }
  }
  return { places, weights };
}

// Keys' cubic convolution with a = -0.75, pixel centres at half-integers, edge pixels repeated.
export function bicubic({ rows, columns, values }, height, width) {
  const down = taps(rows, height);
  const across = taps(columns, width);
  const tall = new Float32Array(height * columns);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let tap = 4 * y; tap < 4 * y + 4; tap++) sum += down.weights[tap] * values[down.places[tap] * columns + x];
      tall[y * columns + x] = sum;
    }
  }
  const large = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let tap = 4 * x; tap < 4 * x + 4; tap++) sum += across.weights[tap] * tall[y * columns + across.places[tap]];
      large[y * width + x] = sum;
    }
  }
  return large;
}

// The resized map in steps of 1/255 of its largest value.
export function levels(map, height, width) {
  const large = bicubic(map, height, width);
  const peak = large.reduce((most, value) => max(most, value), 0);
  return Uint8Array.from(large, (value) => (peak > 0 ? round(min(max(value / peak, 0), 1) * 255) : 0));
}

// `table` is 256 x 3 bytes; opaque, or transparent where the map is low.
export function paint(canvas, shown, table, opaque) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  for (let pixel = 0; pixel < shown.length; pixel++) {
    const level = shown[pixel];
    for (let part = 0; part < 3; part++) picture.data[4 * pixel + part] = table[3 * level + part];
    picture.data[4 * pixel + 3] = opaque ? 255 : round(level * OPACITY);
  }
  context.putImageData(picture, 0, 0);
}

// The bytes that the server sends: rows and columns as two uint16, little-endian, then a byte a value.
export function read(buffer) {
  const [rows, columns] = [0, 2].map((offset) => new DataView(buffer).getUint16(offset, true));
  const values = new Uint8Array(buffer, 4);
  if (!rows || !columns || values.length !== rows * columns) throw new Error("not a heat map");
  return { rows, columns, values };
}
