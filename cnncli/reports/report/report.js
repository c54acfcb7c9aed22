// A number of the matrix opens its images, and the arrow keys go from number to number. Without this script the number
// is a link to the same images.

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.querySelector("summary").focus();
  }
}

function move(event) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  const rows = [...cell.closest("tbody").rows];
  let row = rows.indexOf(cell.parentElement), column = cell.cellIndex, link;
  do {
    row += step[0];
    column += step[1];
    const next = rows[row] && rows[row].cells[column];
    if (!next) return;
    link = next.querySelector("a");
  } while (!link);
  event.preventDefault();
  link.focus();
}

for (const matrix of document.querySelectorAll(".confusion")) {
  matrix.addEventListener("keydown", move);
  matrix.addEventListener("click", (event) => {
    if (event.target.closest("a") && event.target.hash === location.hash) openTarget();
  });
}
addEventListener("hashchange", openTarget);
openTarget();
