// Answers each line of stdin, the data of a page with the entries that are asked for, with what the page's modules say.

import { createInterface } from "node:readline";

const written = (values) => Array.from(values, (value) => (Number.isFinite(value) ? value : String(value)));

function answer({ data, entries, followed }) {
  const chain = _chain.buildChain(data);
  const python = _chain.readValues(data);
  const anew = {};
  for (const [tensor, values] of [..._chain.runForward(chain, python), ..._chain.walkBack(chain, python)]) anew[tensor.name] = written(values);
  const explained = entries.map(([name, i]) => {
    const { formula, terms, reason } = _explain.explain(chain, python, chain.tensors.get(name), i);
    const fill = (term) => term.factors.reduce((text, factor) => text.replace("{}", factor.label), term.template);
    return { formula, reason, terms: terms.map((term) => [fill(term), ...written([term.value])]) };
  });
  const follower = _paths.followerOf(chain, python);
  const paths = followed.map(([name, i]) => {
    const tensor = chain.tensors.get(name);
    const strongest = follower.strongest(tensor, i, 3);
    return { number: follower.number(tensor, i), products: strongest.map(({ product }) => product) };
  });
  const { numbers, same, wrong, apart } = _verify.verify(chain, python);
  const differing = Object.fromEntries(apart.map((each) => [each.tensor.name, [each.numbers, each.most]]));
  return { unknown: chain.unknown, anew, explained, paths, verdict: { numbers, same, wrong: wrong.length, differing } };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
