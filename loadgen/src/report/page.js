// Shows under each plot what its lines say where the pointer is.
for (const plot of document.querySelectorAll(".plot")) {
  const svg = plot.querySelector("svg");
  const out = plot.querySelector("output");
  const lines = [...svg.querySelectorAll("path[data-points]")].map((path) => ({
    name: path.dataset.name,
    points: JSON.parse(path.dataset.points),
  }));
  const cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cross.setAttribute("class", "cross");
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const said = [];
    let at = null;
    for (const { name, points } of lines) {
      if (points.length === 0) continue;
      const near = points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));
      if (at === null) at = near;
      said.push(`${name} ${near[2]}`);
    }
    if (at === null) return;
    for (const [name, value] of [["x1", at[0]], ["x2", at[0]], ["y1", 12], ["y2", svg.viewBox.baseVal.height - 34]]) {
      cross.setAttribute(name, value);
    }
    svg.append(cross);
    out.textContent = `${at[1]}: ${said.join(", ")}`;
  });
  svg.addEventListener("pointerleave", () => {
    cross.remove();
    out.textContent = "";
  });
}
