/**
 * Mistakes that people make in mappings, each in one expression, and what must be said of it. «…» marks the place; it is not part
 * of the expression. Where two lints belong to one mistake, the first is listed.
 */
export interface PlantedMistake {
  readonly what: string;
  /** The target field that the expression is written for; `where` for the mapping's rule. */
  readonly field: string;
  readonly expression: string;
  readonly code: string;
  /** What the hint must name. */
  readonly names?: string;
}

export const PLANTED_MISTAKES: readonly PlantedMistake[] = [
  // Names
  { what: "a field that is misspelt", field: "note", expression: "«nicknam»", code: "LINT_UNKNOWN_FIELD", names: "nickname" },
  { what: "a field below an object that is misspelt", field: "note", expression: "address.«town»", code: "LINT_UNKNOWN_FIELD", names: "city" },
  { what: "a field of list items that is misspelt", field: "note", expression: "$join(lines.«skus», ', ')", code: "LINT_UNKNOWN_FIELD", names: "sku" },
  { what: "a field inside a filter that is misspelt", field: "email", expression: "emails[«kind» = 'work'][0].value", code: "LINT_UNKNOWN_FIELD" },
  { what: "a field of a function's item that is misspelt", field: "amount", expression: "$sum($map(lines, function($line){ $line.«prise» }))", code: "LINT_UNKNOWN_FIELD", names: "price" },
  { what: "a constant without its quotes", field: "stage", expression: "«open»", code: "LINT_UNKNOWN_FIELD" },
  { what: "a field of a text", field: "note", expression: "name.«first»", code: "LINT_UNKNOWN_FIELD" },

  // Required
  { what: "a required field from one that may be missing", field: "title", expression: "«email»", code: "LINT_POSSIBLY_ABSENT" },
  { what: "a required field with a condition without else", field: "title", expression: "«active ? name»", code: "LINT_POSSIBLY_ABSENT" },
  { what: "a required field from the first item of a list that may be empty", field: "title", expression: "«emails[0].value»", code: "LINT_POSSIBLY_ABSENT" },

  // Types
  { what: "a number for a text", field: "note", expression: "«quantity»", code: "LINT_WRONG_TYPE", names: "$string" },
  { what: "a text for a number", field: "amount", expression: "«account_number»", code: "LINT_WRONG_TYPE", names: "$number" },
  { what: "a text for true or false", field: "is_active", expression: "«status»", code: "LINT_WRONG_TYPE", names: "$parse_boolean" },
  { what: "an object for a text", field: "note", expression: "«address»", code: "LINT_WRONG_TYPE" },
  { what: "null where the target takes none", field: "note", expression: "«nickname»", code: "LINT_WRONG_TYPE", names: "$presence" },
  { what: "null given to a text function", field: "note", expression: "$lowercase(«nickname»)", code: "LINT_WRONG_TYPE" },
  { what: "null joined into a text", field: "note", expression: "name & ' ' & «nickname»", code: "LINT_WRONG_TYPE" },
  { what: "null in arithmetic", field: "amount", expression: "total - «discount»", code: "LINT_WRONG_TYPE" },
  { what: "texts added with plus", field: "note", expression: "«name» + ' Ltd'", code: "LINT_WRONG_TYPE", names: "&" },
  { what: "a number given to a text function", field: "note", expression: "$uppercase(«id»)", code: "LINT_WRONG_TYPE", names: "$string" },
  { what: "a misspelt constant of the target's enum", field: "stage", expression: "status = 'open' ? 'open' : «'close'»", code: "LINT_WRONG_TYPE", names: "closed" },
  { what: "a wrong type in a member of an object", field: "place", expression: "«{ 'city': address.city, 'code': name }»", code: "LINT_WRONG_TYPE" },
  { what: "a point in time for a day", field: "day", expression: "«created_at»", code: "LINT_WRONG_TYPE", names: "$date_in" },
  { what: "a text that is no e-mail address by its format", field: "email", expression: "«born_on»", code: "LINT_WRONG_TYPE" },

  // Lists
  { what: "a list for one value", field: "note", expression: "«emails.value»", code: "LINT_LIST_TRAP", names: "[0]" },
  { what: "one value where a list is meant", field: "tags", expression: "«lines.sku»", code: "LINT_LIST_TRAP", names: "[]" },
  { what: "a text function on a list", field: "note", expression: "$lowercase(«lines.sku»)", code: "LINT_LIST_TRAP" },
  { what: "a list in arithmetic", field: "amount", expression: "«lines.price» * quantity", code: "LINT_LIST_TRAP", names: "$sum" },
  { what: "an index that binds to the last step only", field: "note", expression: "«emails.value[0]»", code: "LINT_LIST_TRAP" },
  { what: "a value appended to a list that may be missing", field: "tags", expression: "«$append(tags, name)»", code: "LINT_LIST_TRAP" },
  { what: "a list compared with one value", field: "is_active", expression: "«tags» = 'new'", code: "LINT_LIST_TRAP", names: "in" },

  // Enums
  { what: "an enum of the source into a smaller one of the target", field: "stage", expression: "«status»", code: "LINT_ENUM_VALUE", names: "won" },
  { what: "a table that lacks a value of the enum", field: "note", expression: "$lookup(«{ 'open': 'Open', 'won': 'Won' }», status)", code: "LINT_ENUM_VALUE" },
  { what: "a translation that lacks a value of the enum", field: "note", expression: "$translate(status, «{ 'open': 'Open', 'lost': 'Lost' }»)", code: "LINT_ENUM_VALUE" },
  { what: "a comparison with a value that the enum does not have", field: "note", expression: "status = «'Won'» ? 'yes' : 'no'", code: "LINT_UNKNOWN_VALUE", names: "won" },
  { what: "a membership of a value that the enum does not have", field: "where", expression: "status in ['open', «'closed'»]", code: "LINT_UNKNOWN_VALUE" },

  // Numbers, time
  { what: "decimals into a whole number", field: "count", expression: "«total»", code: "LINT_LOSSY_NUMBER", names: "$round" },
  { what: "a quotient into a whole number", field: "count", expression: "«quantity / 2»", code: "LINT_LOSSY_NUMBER" },
  { what: "digits with a leading zero as a number", field: "amount", expression: "$number(«account_number»)", code: "LINT_LOSSY_NUMBER" },
  { what: "more digits than a number holds", field: "amount", expression: "$number(«message_id»)", code: "LINT_LOSSY_NUMBER" },
  { what: "a local time for an instant", field: "at", expression: "«meeting_at»", code: "LINT_NO_TIME_ZONE", names: "$parse_datetime" },
  { what: "a day for an instant", field: "at", expression: "«born_on»", code: "LINT_NO_TIME_ZONE" },
  { what: "a local time read as an instant", field: "at", expression: "$fromMillis($toMillis(«meeting_at»))", code: "LINT_NO_TIME_ZONE" },
  { what: "a pattern without offset and without zone", field: "at", expression: "$parse_datetime(name, «'dd/MM/yyyy HH:mm'»)", code: "LINT_NO_TIME_ZONE" },
  { what: "a local time compared with now", field: "is_active", expression: "«meeting_at» < $now()", code: "LINT_NO_TIME_ZONE" },

  // Comparisons, bindings, keys, work
  { what: "a number compared with a text", field: "is_active", expression: "«quantity = '5'»", code: "LINT_DIFFERENT_TYPES", names: "$number" },
  { what: "true in quotes", field: "is_active", expression: "«active = 'true'»", code: "LINT_DIFFERENT_TYPES", names: "quotes" },
  { what: "a text ordered against a number", field: "is_active", expression: "«name > 10»", code: "LINT_DIFFERENT_TYPES" },
  { what: "a binding that is misspelt where it is used", field: "note", expression: "(«$first» := $substring(name, 0, 1); $frist & '.')", code: "LINT_UNUSED_BINDING", names: "frist" },
  { what: "a search through the root for every line", field: "note", expression: "$join(lines.(«$$.products[id = 7]».title), ', ')", code: "LINT_ROOT_SCAN" },
  { what: "a rule that no record fulfils", field: "where", expression: "«status = 'open' and status = 'won'»", code: "LINT_NEVER_TRUE" },
];
