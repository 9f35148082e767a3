/** The written form of a filter: `field:operator:value,value`, as URL and API read it. */

const NO_VALUE = ["null", "nnull"];
const SEVERAL = ["in", "nin"];
const MANY_OF = { eq: "in", ne: "nin" };

/** How many values an operator takes: "none", "one", "two" or "many". */
export function arity(operator) {
  if (NO_VALUE.includes(operator)) return "none";
  if (operator === "between") return "two";
  return SEVERAL.includes(operator) ? "many" : "one";
}

function escaped(value) {
  return value.replaceAll("\\", "\\\\").replaceAll(",", "\\,");
}

/** The text of a filter; "is" with several values becomes "is any of". */
export function filterText(field, operator, values) {
  const written = values.length > 1 ? (MANY_OF[operator] ?? operator) : operator;
  return `${field}:${written}:${values.map(escaped).join(",")}`;
}
