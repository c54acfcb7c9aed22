// P = the largest of each window; of equal ones the first wins, and takes all of the gradient.

import { factorOf, madeOf, termOf, ZERO } from "../tensors.js";
import { mostAround, outside, windowsAround, windowSizes, windowsOf } from "./pooling.js";

/** The entry of A that each window chooses. */
function winnersOf(step, v) {
  const A = v[step.source.name];
  return windowsOf(step).map((members) => {
    let best = members[0];
    for (const at of members) if (A[at] > A[best]) best = at;
    return best;
  });
}

const winnerOf = (step, v, window) =>
  windowsOf(step)[window].reduce((best, at) => (v[step.source.name][at] > v[step.source.name][best] ? at : best));

export const maxPooling = {
  options: ["s", "t"],

  adds: (step) => [1, mostAround(step)], // where windows overlap, an entry may win several

  forward: (step, v) => Float64Array.from(winnersOf(step, v), (at) => v[step.source.name][at]),

  backward(step, v, dP) {
    const dA = new Float64Array(step.source.size);
    for (const [window, at] of winnersOf(step, v).entries()) dA[at] += dP[window];
    return [dA];
  },

  explain(step, v, window) {
    const A = v[step.source.name];
    const members = windowsOf(step)[window];
    const winner = winnerOf(step, v, window);
    const equals = members.filter((at) => A[at] === A[winner]).length;
    const first = equals > 1 ? `, the first of ${equals} equal ones` : "";
    const factors = members.map((at) => factorOf(step.source, at));
    const term = termOf(`max(${factors.map(() => "{}").join(", ")})`, factors, A[winner], Math.max);
    return madeOf("", [term], `the winner is ${factorOf(step.source, winner).label}${first}`);
  },

  *readers(step, v, tensor, at) {
    for (const window of windowsAround(step, at)) {
      if (winnerOf(step, v, window) === at) yield { i: window, derivative: 1, reason: "the window's maximum" };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    return madeOf("", terms.length ? terms : [ZERO], whyItWon(step, v, at));
  },

  marks(step, v) {
    const at = new Uint8Array(step.source.size);
    for (const winner of winnersOf(step, v)) at[winner] = 1;
    return [step.source, step.source.gradient].map((tensor) => ({ tensor, mark: "winner", at }));
  },

  *choices(step, before, v) {
    const [was, is] = [winnersOf(step, before), winnersOf(step, v)];
    const tied = (values, window) => windowsOf(step)[window].filter((at) => values[at] === values[is[window]]).length;
    const [then, now] = [before[step.source.name], v[step.source.name]];
    for (let window = 0; window < is.length; window++) {
      const label = (at) => factorOf(step.source, at).label;
      const entry = () => factorOf(step.output, window);
      if (was[window] !== is[window]) yield { entry: entry(), text: `has another winner: ${label(is[window])} instead of ${label(was[window])}` };
      if (now[is[window]] === 0) continue;
      const equals = tied(now, window);
      if (equals > 1 && tied(then, window) < equals) {
        yield { entry: entry(), text: `is a tie of ${equals} equal maxima: ${label(is[window])} comes first and takes the gradient` };
      }
    }
  },

  blocked: (step, v, tensor, at) => whyItWon(step, v, at),

  /** The window of an entry of P or A: of several one that it wins, none in a rest that fills none. */
  windowOf(step, v, tensor, i) {
    const around = tensor === step.output ? [i] : [...windowsAround(step, i)];
    const window = around.find((each) => winnerOf(step, v, each) === i) ?? around[0];
    return window === undefined ? null : { entries: windowsOf(step)[window], winner: winnerOf(step, v, window) };
  },

  say(step) {
    const { s } = windowSizes(step);
    const [A, P, dP] = [step.source.name, step.output.name, step.output.gradient.name];
    return {
      output: `Of every ${s}×${s} window of ${A} the largest number goes on to ${P}: the winners are framed.`,
      source: `The winner of each window takes all of its ${dP}; the others had no say in ${P} and get 0.`,
    };
  },
};

/** Why an entry of A takes the gradient of its window, or why not. */
function whyItWon(step, v, at) {
  const around = [...windowsAround(step, at)];
  const A = v[step.source.name];
  const { label } = factorOf(step.source, at);
  if (!around.length) return `${label} lies in ${outside(step)}: nobody read it`;
  const won = around.filter((window) => winnerOf(step, v, window) === at).length;
  if (won) return `${label} is the maximum of ${won === 1 ? "its window" : `${won} windows`}`;
  const winner = winnerOf(step, v, around[0]);
  const other = factorOf(step.source, winner).label;
  const others = around.length > 1 ? ` (nor of the ${around.length - 1} others that hold it)` : "";
  return A[winner] === A[at]
    ? `${label} equals the maximum of its window, but ${other} comes first and takes all${others}`
    : `${label} is not the maximum of its window, ${other} is${others}`;
}
