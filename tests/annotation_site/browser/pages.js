// Run in the page: what sticks out of the window or is cut off, said by the elements that do it.
() => {
  const width = document.documentElement.clientWidth;
  const named = (element) =>
    `${element.tagName.toLowerCase()}${element.id && `#${element.id}`}.${[...element.classList].join(".")}: ` +
    element.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
  const scrolls = (element) => {
    for (let each = element; each; each = each.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(each).overflowX) && each !== document.documentElement) return true;
    }
    return false;
  };
  const unseen = (element) => element.closest(".visually-hidden, [hidden], dialog:not([open]), svg") !== null;
  const found = [];
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || unseen(element)) continue;
    if (box.right > width + 1 && box.left < width && !scrolls(element)) found.push(`sticks out: ${named(element)}`);
    const style = getComputedStyle(element);
    const cut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    const clips = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
    if (cut && clips && element.textContent.trim()) found.push(`cut off: ${named(element)}`);
  }
  return found.slice(0, 5);
}
