// Where one entry comes from: the formula that made it, and the recorded numbers that went into it.

import { multiply } from "./arithmetic.js";
import { factorOf, madeOf, termOf } from "./tensors.js";

/** The entry with the terms that it is the sum of: {formula, terms, reason}. */
export function explain(chain, v, tensor, i) {
  const { output } = chain;
  if (tensor.role === "image") return madeOf("", [], "given: the image");
  if (tensor.role === "label") return madeOf("", [], "given: the class that counts as true");
  if (tensor.kind === "parameter") {
    return madeOf("", [], `given: a parameter; what L thinks of it is ${factorOf(tensor.gradient, i).label}`);
  }
  if ([output.output, output.loss, output.output.gradient, output.local, output.source.gradient].includes(tensor)) {
    return output.does.explain(output, v, tensor, i);
  }
  for (const step of chain.steps) {
    if (tensor === step.output) return step.does.explain(step, v, i);
    if (tensor === step.local) return step.does.explainLocal(step, v, i);
  }
  return sumReaders(chain, v, tensor.value, i);
}

/** The chain rule for one entry: over all that read it, the local derivative times the reader's own gradient. */
function sumReaders(chain, v, tensor, i) {
  const step = chain.readers.get(tensor);
  const terms = [...step.does.readers(step, v, tensor, i)].map((reader) => {
    const gradient = factorOf(step.output.gradient, reader.i);
    const value = v[gradient.tensor.name][gradient.i] * reader.derivative;
    if (!reader.factor) return termOf(reader.template ?? "{}", [gradient], value, (number) => number * reader.derivative);
    return termOf("{}·{}", reader.factorFirst ? [reader.factor, gradient] : [gradient, reader.factor], value, multiply);
  });
  return step.does.explainGradient(step, v, tensor, i, terms);
}

/** The pooling window on whose winner an entry depends, or null. */
export function windowAt(chain, v, tensor, i) {
  const step = chain.steps.find((each) => each.does.windowOf && [each.output, each.source.gradient].includes(tensor));
  return step ? { step, ...step.does.windowOf(step, v, tensor === step.output ? tensor : step.source, i) } : null;
}

/** A sentence about how a tensor is made. */
export function sayHow(chain, tensor, classes) {
  const { output } = chain;
  const ofOutput = new Map([
    [output.output, "output"],
    [output.loss, "loss"],
    [output.output.gradient, "dL_dA"],
    [output.local, "dA_dz"],
    [output.source.gradient, "dL_dz"],
  ]);
  if (ofOutput.has(tensor)) return output.does?.say(output, classes)[ofOutput.get(tensor)] ?? "";
  for (const step of chain.steps) {
    const said = step.does?.say(step) ?? {};
    if (tensor === step.output) return said.output ?? "";
    if (tensor === step.local) return said.local ?? "";
    if (tensor === step.source.gradient) return said.source ?? "";
    const at = step.parameters.findIndex((parameter) => parameter.gradient === tensor);
    if (at >= 0) return said.parameters?.[at] ?? "";
  }
  return tensor.role === "image" ? "The image." : "Given.";
}
