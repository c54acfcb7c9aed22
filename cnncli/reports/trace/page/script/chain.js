// The chain run forwards and walked back, over the steps that the file brings. What a kind of step does is in kinds/.

import { averagePooling } from "./kinds/average_pooling.js";
import { convolution } from "./kinds/convolution.js";
import { dense } from "./kinds/dense.js";
import { flatten } from "./kinds/flatten.js";
import { maxPooling } from "./kinds/max_pooling.js";
import { relu } from "./kinds/relu.js";
import { sigmoid } from "./kinds/sigmoid.js";
import { softmax } from "./kinds/softmax.js";
import { sizeOf } from "./tensors.js";

const KINDS = {
  convolution,
  relu,
  "max pooling": maxPooling,
  "average pooling": averagePooling,
  flatten,
  dense,
};
const OUTPUTS = { sigmoid, softmax };

/** The numbers of every tensor as the file brings them; equal ones are told by the name of the earlier tensor. */
export function readValues(data) {
  const v = {};
  for (const { name, values } of data.tensors) v[name] = readArray(typeof values === "string" ? v[values] : values);
  return v;
}

/** Numbers as JSON writes them, or the bytes of float64 numbers. */
function readArray(values) {
  if (!values.float64) return Float64Array.from(values, readNumber);
  return new Float64Array(Uint8Array.from(atob(values.float64), (byte) => byte.charCodeAt(0)).buffer);
}

const readNumber = (value) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[value] ?? value;

/** The chain of a file's data, whose names become tensors and kinds; `unknown` says what this page cannot compute. */
export function buildChain(data) {
  const tensors = new Map(data.tensors.map((each) => [each.name, { ...each, size: sizeOf(each.shape) }]));
  const named = (name) => tensors.get(name) ?? null;
  const loss = named(data.output.loss);
  for (const tensor of tensors.values()) {
    if (tensor.fraction && tensor.fraction[0] === loss.name) named(tensor.fraction[1]).gradient = tensor;
  }
  for (const tensor of tensors.values()) {
    if (tensor.fraction && tensor.fraction[0] === loss.name) tensor.value = named(tensor.fraction[1]);
  }
  const steps = data.steps.map((step) => ({
    ...step,
    source: named(step.source),
    output: named(step.output),
    parameters: step.parameters.map(named),
    local: named(step.local),
    does: KINDS[step.kind],
  }));
  const output = {
    ...data.output,
    source: named(data.output.source),
    output: named(data.output.output),
    loss,
    local: named(data.output.local),
    label: [...tensors.values()].find((tensor) => tensor.role === "label"),
    does: OUTPUTS[data.output.kind],
  };
  const readers = new Map(steps.flatMap((step) => [step.source, ...step.parameters].map((tensor) => [tensor, step])));
  return { tensors, steps, output, readers, unknown: unknownOf(data) };
}

/** What of the chain is not in this page's tables, as words; empty where it knows all. */
function unknownOf(data) {
  const unknown = data.steps.flatMap((step) => {
    if (!KINDS[step.kind]) return [step.kind];
    return Object.keys(step.options).filter((name) => !KINDS[step.kind].options.includes(name)).map((name) => `${name} of ${step.kind}`);
  });
  if (!OUTPUTS[data.output.kind]) unknown.push(data.output.kind);
  return unknown;
}

/** Every value and derivative, from X, y and the parameters in `given`. */
export function compute(chain, given) {
  const v = {};
  for (const tensor of chain.tensors.values()) v[tensor.name] = given[tensor.name] ?? new Float64Array(tensor.size);
  for (const [tensor, value] of runForward(chain, v)) v[tensor.name] = value;
  for (const [tensor, value] of walkBack(chain, v)) v[tensor.name] = value;
  return v;
}

/** Z1, A1, P1, …, F, z, A and L, each worked out of what `v` holds by then. */
export function* runForward(chain, v) {
  for (const step of chain.steps) yield [step.output, step.does.forward(step, v)];
  const { output } = chain;
  yield [output.output, output.does.forward(output, v)];
  yield [output.loss, output.does.loss(output, v)];
}

/** The derivatives from L back to X, each worked out of what `v` holds by then. */
export function* walkBack(chain, v) {
  const { output } = chain;
  yield [output.output.gradient, output.does.dL_dA(output, v)];
  yield [output.local, output.does.dA_dz(output, v)];
  yield [output.source.gradient, output.does.dL_dz(output, v)];
  for (const step of [...chain.steps].reverse()) {
    const [source, ...parameters] = step.does.backward(step, v, v[step.output.gradient.name]);
    for (const [at, tensor] of step.parameters.entries()) yield [tensor.gradient, parameters[at]];
    if (step.local) yield [step.local, step.does.local(step, v)];
    yield [step.source.gradient, source];
  }
}

/** Whether A saturates, so that its two links are 1/0 and 0, whose product is known in closed form. */
const readsAtOnce = (output, v) =>
  !v[output.output.gradient.name].every(Number.isFinite) || v[output.local.name].every((each) => each === 0);

/** The links from one entry to all that read it, d(reader)/d(read); some are 0. */
export function* linksOf(chain, v, tensor, i) {
  const { output } = chain;
  const step = chain.readers.get(tensor);
  if (step) {
    for (const reader of step.does.readers(step, v, tensor, i)) yield { ...reader, tensor: step.output };
  } else if (tensor === output.output) {
    yield { tensor: output.loss, i: 0, derivative: v[tensor.gradient.name][i], reason: "the cross-entropy" };
  } else if (tensor === output.source) {
    if (readsAtOnce(output, v)) {
      const reason = "both links at once: A is 0 or 1 to the last bit";
      yield { tensor: output.loss, i: 0, derivative: v[tensor.gradient.name][i], reason };
      return;
    }
    const K = tensor.size;
    for (let j = 0; j < K; j++) {
      if (v[output.output.gradient.name][j] === 0) continue;
      yield { tensor: output.output, i: j, derivative: v[output.local.name][j * K + i], reason: output.does.linkReason(output) };
    }
  }
}
