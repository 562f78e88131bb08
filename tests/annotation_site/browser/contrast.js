// Run in the page, beside axe: contrast, at one element for each pair of colours and size of type that there is. axe
// alone measures each cell of a table anew, which takes most of its time and finds nothing more.
() => {
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "";
  };
  const speaks = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const shown = new Map();
  for (const element of document.querySelectorAll("body *")) {
    if (!speaks(element) || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const key = [style.color, style.fontSize, style.fontWeight, style.opacity, behind(element)].join();
    if (!shown.has(key) && !element.closest(".visually-hidden, .skip")) shown.set(key, element);
  }
  const options = { runOnly: ["color-contrast"], resultTypes: ["violations"] };
  return axe.run({ include: [...shown.values()] }, options).then((result) => result.violations);
}
