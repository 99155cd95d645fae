"use strict";
{
  const bar = document.getElementById("filter");
  const rows = [...document.querySelectorAll(".requirement")];
  const text = bar?.elements.namedItem("text"), area = bar?.elements.namedItem("area");
  const verdicts = [...(bar?.querySelectorAll("[name=verdict]") ?? [])];
  const texts = new Map();
  const content = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(verdicts.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const row of rows) {
      const fits = (!area.value || row.dataset.area === area.value)
        && (wanted.size === 0 || wanted.has(row.dataset.verdict))
        && words.every((word) => content(row).includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    document.getElementById("shown").textContent = shown === rows.length ? `all ${shown}` : `${shown} of ${rows.length}`;
  };
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target?.matches(".requirement")) return;
    if (target.hidden) { bar.reset(); apply(); }
    target.open = true;
    target.scrollIntoView();
  };
  if (bar) {
    bar.hidden = false;
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.addEventListener("input", apply);
    bar.addEventListener("reset", () => setTimeout(apply));
    for (const link of document.querySelectorAll("[data-show-area]")) {
      link.addEventListener("click", () => { bar.reset(); area.value = link.dataset.showArea; apply(); });
    }
    addEventListener("hashchange", reveal);
    apply();
    reveal();
  }
}
