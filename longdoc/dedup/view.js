"use strict";
(() => {
  const clusters = [...document.querySelectorAll("details.cluster")];
  const query = document.getElementById("query"), said = document.getElementById("said");
  const texts = new Map();
  const textOf = (each) => { if (!texts.has(each)) texts.set(each, each.textContent.toLowerCase()); return texts.get(each); };
  const shown = () => clusters.filter((each) => !each.hidden);
  const filter = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const each of clusters) each.hidden = !words.every((word) => textOf(each).includes(word));
    said.textContent = words.length ? `${shown().length.toLocaleString("en")} of ${clusters.length.toLocaleString("en")} clusters` : "";
  };
  query.addEventListener("input", filter);
  for (const name of ["open", "close"]) document.getElementById(name).addEventListener("click", () => { for (const each of shown()) each.open = name === "open"; });
  document.getElementById("tools").hidden = !clusters.length;
  const goal = document.getElementById(location.hash.slice(1));
  if (goal && goal.matches("details.cluster")) goal.open = true;
})();
