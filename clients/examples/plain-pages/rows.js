/**
 * A row of a table. Texts are set as texts, so that nothing of a venue becomes a part of the page.
 *
 * @param {readonly string[]} cells
 * @param {string} [className]
 */
export function rowOf(cells, className = "") {
  const row = document.createElement("tr");
  row.className = className;
  for (const text of cells) row.insertCell().textContent = text;
  return row;
}

/** @param {string} id */
export function elementOf(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * Says how the connection is; what is lost is drawn pale.
 *
 * @param {string} text
 * @param {boolean} isLive
 */
export function showState(text, isLive) {
  const element = elementOf("state");
  element.textContent = text;
  element.dataset["state"] = isLive ? "live" : "lost";
}
