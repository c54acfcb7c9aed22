// What the page does: read the model, check itself, and answer for each image that comes.

const MODEL = JSON.parse(document.getElementById("model").textContent);
const PARAMETERS = Object.fromEntries(
  Object.entries(MODEL.parameters).map(([name, { shape, data }]) => [name, tensor(shape, floats(data))])
);
const SHOWN = 5; // classes of each answer; the others are folded away
const results = document.getElementById("results");

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function floats(text) {
  const view = new DataView(bytes(text).buffer);
  return Float64Array.from({ length: view.byteLength / 4 }, (_, at) => view.getFloat32(4 * at, true));
}

// Pixels (C, H, W) → the probability of each class.
function classify(pixels) {
  const { channels, height, width, mean, std } = MODEL;
  const area = height * width, X = tensor([channels, height, width]);
  for (let at = 0; at < pixels.length; at++) {
    const c = Math.floor(at / area);
    X.data[at] = (pixels[at] / 255 - mean[c]) / std[c];
  }
  return network(X, PARAMETERS);
}

// The largest difference of a probability from Python's over the images that the file brings.
async function check() {
  let largest = 0;
  for (const { file, pixels, probabilities } of MODEL.checks) {
    const expected = bytes(pixels);
    const read = file ? await readImage(new Blob([bytes(file)])) : expected;
    if (read.some((value, at) => value !== expected[at])) throw new Error("a test image is decoded otherwise");
    const found = classify(read);
    largest = found.reduce((worst, p, k) => Math.max(worst, Math.abs(p - probabilities[k])), largest);
  }
  if (!(largest <= MODEL.tolerance)) throw new Error(`a probability differs by ${largest.toExponential(1)}`);
  return largest;
}

async function answer(file) {
  const card = document.createElement("article");
  const heading = document.createElement("h3");
  heading.textContent = file.name;
  card.append(heading);
  results.prepend(card);
  try {
    const pixels = await readImage(file);
    const probabilities = classify(pixels);
    card.append(picture(pixels), ranking(probabilities));
  } catch (error) {
    const reason = document.createElement("p");
    reason.className = "wrong";
    reason.textContent = error.message;
    card.append(reason);
  }
}

// What the network sees, as a picture.
function picture(pixels) {
  const { channels, height, width } = MODEL, area = height * width;
  const canvas = Object.assign(document.createElement("canvas"), { height, width });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "the image as the network sees it");
  const image = new ImageData(width, height);
  for (let at = 0; at < area; at++) {
    const colour = [0, 1, 2].map((c) => pixels[(channels === 1 ? 0 : c) * area + at]);
    image.data.set([...colour, 255], 4 * at);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// The classes, the most probable first, of equals the one that comes first; most of many are folded away.
function ranking(probabilities) {
  const order = probabilities.map((_, k) => k).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  const all = document.createElement("div"), list = document.createElement("ol"), rest = document.createElement("ol");
  for (const [place, k] of order.entries()) {
    const item = document.createElement("li"), bar = document.createElement("meter");
    bar.value = probabilities[k];
    bar.setAttribute("aria-hidden", "true");
    const name = document.createElement("span"), number = document.createElement("span");
    name.textContent = MODEL.classes[k];
    number.textContent = probabilities[k].toFixed(4);
    number.dataset.probability = probabilities[k];
    item.append(name, bar, number);
    (place < SHOWN ? list : rest).append(item);
  }
  all.append(list);
  if (rest.children.length) {
    const details = document.createElement("details"), summary = document.createElement("summary");
    summary.textContent = `${rest.children.length} more`;
    details.append(summary, rest);
    all.append(details);
  }
  return all;
}

async function answerAll(files) {
  for (const file of files) await answer(file);
}

const input = document.getElementById("files"), target = document.getElementById("target");
input.addEventListener("change", () => answerAll([...input.files]).then(() => (input.value = "")));
for (const name of ["dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => {
    event.preventDefault();
    target.classList.toggle("over", name === "dragover");
    if (name === "drop") answerAll([...event.dataTransfer.files]);
  });
document.addEventListener("paste", (event) => answerAll([...event.clipboardData.files]));

const state = document.getElementById("check");
check().then(
  (largest) => {
    state.dataset.state = "right";
    state.className = "right";
    state.textContent =
      `Checked when this page was opened: on ${MODEL.checks.length} images its numbers are Python's ` +
      `(no probability differs by more than ${largest.toFixed(8)}).`;
  },
  (error) => {
    state.dataset.state = "wrong";
    state.className = "wrong";
    state.textContent = `Do not trust this page in this browser: ${error.message}.`;
  }
);
