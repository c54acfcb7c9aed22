// An image file becomes pixels by cnncli's rules: the EXIF orientation applied, whatever is transparent laid on white, a
// JPEG that is much larger than needed made smaller by whole factors, scaled with its proportions kept until it covers
// the network's size (bilinear, antialiased), cropped at the centre.

const MAGIC = [
  [0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff], [0x42, 0x4d], [0x47, 0x49, 0x46, 0x38], [0x52, 0x49, 0x46, 0x46],
]; // PNG, JPEG, BMP, GIF, WebP
const MAX_PIXELS = 100000000;

// A file → the pixels of its image, (C, H, W). Throws an Error that says why there are none.
async function readImage(file) {
  const head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  if (!MAGIC.some((magic) => magic.every((byte, place) => head[place] === byte)))
    throw new Error("not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw new Error("the image is damaged");
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS)
    throw new Error(`${width}×${height} pixels are more than the ${MAX_PIXELS.toLocaleString("en")} that are allowed`);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error(`this browser has no room for ${width}×${height} pixels`);
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const pixels = context.getImageData(0, 0, width, height).data;
  const factor = MAGIC[1].every((byte, place) => head[place] === byte) ? reduction(width, height) : 1;
  return toChannels(fit(reduce(pixels, width, height, factor), Math.ceil(width / factor), Math.ceil(height / factor)));
}

// How much smaller a JPEG is decoded: 8, 4, 2 or 1, the most that leaves at least twice the network's size.
function reduction(width, height) {
  const ratio = Math.min(width / (2 * MODEL.width), height / (2 * MODEL.height));
  return [8, 4, 2].find((factor) => ratio >= factor) || 1;
}

// RGBA → RGBA: the mean of every square of `factor` pixels a side.
function reduce(pixels, width, height, factor) {
  if (factor === 1) return pixels;
  const W = Math.ceil(width / factor), H = Math.ceil(height / factor);
  const means = new Uint8ClampedArray(4 * W * H);
  for (let i = 0; i < H; i++) for (let j = 0; j < W; j++) for (let colour = 0; colour < 3; colour++) {
    let sum = 0, count = 0;
    for (let y = i * factor; y < Math.min((i + 1) * factor, height); y++)
      for (let x = j * factor; x < Math.min((j + 1) * factor, width); x++, count++)
        sum += pixels[4 * (y * width + x) + colour];
    means[4 * (i * W + j) + colour] = Math.round(sum / count);
  }
  return means;
}

// RGBA of any size → red, green, blue of the network's size, (H, W, 3); rows first, then columns.
function fit(pixels, width, height) {
  const { width: W, height: H } = MODEL, ratio = W / H;
  if (width === W && height === H) return pixels.filter((_, at) => at % 4 < 3);
  const wide = Math.min(width, ratio * height), high = Math.min(height, width / ratio); // what is left of the image
  const left = (width - wide) / 2, top = (height - high) / 2, reach = Math.max(high / H, 1) + 1;
  const first = Math.max(Math.floor(top - reach), 0), last = Math.min(Math.ceil(top + high + reach), height);
  const used = pixels.subarray(4 * first * width, 4 * last * width);
  const rows = resample(used, 4, last - first, width, left, left + wide, W, false); // (last - first, W, 3)
  return resample(rows, 3, W, last - first, top - first, top - first + high, H, true); // (H, W, 3)
}

// One direction of the scaling, with weights of 22 bits and sums rounded to bytes, as Pillow does it.
// Rows (or, if `down`, columns) of `length` pixels from..to become `size` pixels; `lines` is how many rows there are.
function resample(pixels, step, lines, length, from, to, size, down) {
  const taps = weights(length, Math.fround(from), Math.fround(to), size);
  const result = new Uint8ClampedArray(lines * size * 3);
  for (let at = 0; at < size; at++) {
    const { first, numbers } = taps[at];
    for (let line = 0; line < lines; line++) for (let colour = 0; colour < 3; colour++) {
      let sum = 1 << 21;
      for (let tap = 0; tap < numbers.length; tap++) {
        const place = down ? (first + tap) * lines + line : line * length + first + tap;
        sum += numbers[tap] * pixels[place * step + colour];
      }
      result[(down ? at * lines + line : line * size + at) * 3 + colour] = sum >> 22;
    }
  }
  return result;
}

// For each of `size` pixels the first pixel that it reads, and the weights of this one and the next.
function weights(length, from, to, size) {
  const scale = Math.fround(to - from) / size, support = Math.max(scale, 1);
  return Array.from({ length: size }, (_, at) => {
    const centre = from + (at + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const last = Math.min(Math.trunc(centre + support + 0.5), length);
    const numbers = [];
    for (let x = first; x < last; x++) numbers.push(Math.max(1 - Math.abs((x - centre + 0.5) / support), 0));
    const sum = numbers.reduce((a, b) => a + b, 0);
    return { first, numbers: numbers.map((number) => Math.trunc((number / sum) * (1 << 22) + 0.5)) };
  });
}

// (H, W, 3) → (C, H, W): colour as it is, gray as the luminance (ITU-R 601).
function toChannels(colours) {
  const { channels, height, width } = MODEL, area = height * width;
  const pixels = new Uint8Array(channels * area);
  for (let at = 0; at < area; at++) {
    const [red, green, blue] = colours.subarray(3 * at, 3 * at + 3);
    if (channels === 1) pixels[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    else pixels.set([red], at), pixels.set([green], area + at), pixels.set([blue], 2 * area + at);
  }
  return pixels;
}
