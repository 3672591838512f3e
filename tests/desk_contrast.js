// Text whose colour stands out too little from what is painted behind it (WCAG 1.4.3), and edges of
// controls that do (1.4.11).
() => {
  const parse = (text) => {
    const found = (text.match(/[\d.]+/g) || []).map(Number);
    return { r: found[0], g: found[1], b: found[2], a: found[3] === undefined ? 1 : found[3] };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255).map(
      (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const wrong = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, words = walker.currentNode.data.trim();
    if (!words || element.closest(".hidden, noscript, option, title, .skip") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(over(parse(style.color), ground(element)), ground(element));
    if (found < (large ? 3 : 4.5)) wrong.push(`${found.toFixed(2)} ${words.slice(0, 40)} <${element.className || element.tagName}>`);
  }
  for (const control of document.querySelectorAll("input:not([type=radio], [type=checkbox], [type=hidden]), select")) {
    if (!control.checkVisibility()) continue;
    const found = ratio(parse(getComputedStyle(control).borderTopColor), ground(control.parentElement));
    if (found < 3) wrong.push(`${found.toFixed(2)} edge of #${control.id}`);
  }
  return wrong;
}
