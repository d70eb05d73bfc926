//! Codes of orders.

use super::{Description, error, warning};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "order/action",
        "An item's action is none of add, modify, delete and noChange.",
        "Use one of the four actions.",
    ),
    warning(
        "order/action-spelling",
        "An item's action is written another way than in the standard.",
        "Write add, modify, delete or noChange exactly so.",
    ),
    error(
        "order/bundle-limit",
        "A bundle has fewer or more parts of an offering than its catalog entry allows.",
        "Order as many parts as `bundledProductOfferingOption` allows.",
    ),
    error(
        "order/characteristic-cardinality",
        "A characteristic has fewer or more values than its specification allows.",
        "Give as many values as minCardinality and maxCardinality allow, each once.",
    ),
    error(
        "order/characteristic-pattern",
        "A characteristic's value does not match the regular expression of its specification.",
        "Write the value in the form that the catalog demands.",
    ),
    error(
        "order/characteristic-type",
        "A characteristic's value is of another type than its specification says.",
        "Give a value of the type that the message names.",
    ),
    error(
        "order/characteristic-value",
        "A characteristic's value is none of those that its specification or offering allows.",
        "Choose one of the values that the message lists.",
    ),
    error(
        "order/constraint",
        "An item, or the order, breaks a constraint of the catalog.",
        "Order what the message of the constraint asks for, or correct the rule.",
    ),
    error(
        "order/cycle",
        "Items of an order wait for each other in a circle.",
        "Remove one of the relationships between these items.",
    ),
    error(
        "order/dangling-relationship",
        "An item refers to an item that the order does not have.",
        "Correct the id, or add the item.",
    ),
    error(
        "order/date",
        "A date cannot be read.",
        "Write it as in RFC 3339: 2026-11-23T08:30:00Z.",
    ),
    warning(
        "order/date-format",
        "A date is not written as in RFC 3339, but can be read.",
        "Write it with time and offset: 2026-11-23T08:30:00Z.",
    ),
    warning(
        "order/date-order",
        "Two dates of an order contradict each other.",
        "Correct the earlier or the later one.",
    ),
    error(
        "order/duplicate",
        "An order with the same type and external id is there already, in the stream or in the journal.",
        "Leave out the order that was sent twice, or give a new order its own external id.",
    ),
    error(
        "order/duplicate-entity",
        "Two items of an order are about the same product, service or resource.",
        "Say in one item what is to become of it.",
    ),
    error(
        "order/duplicate-item-id",
        "Two items of an order have the same id.",
        "Give every item its own id.",
    ),
    warning(
        "order/empty-text",
        "A member is an empty text.",
        "Leave the member out, or give it a value.",
    ),
    error(
        "order/excludes",
        "An item orders a product that another one, ordered or installed, excludes.",
        "Order only one of them, or remove the other one in the same order.",
    ),
    error(
        "order/missing-characteristic",
        "A mandatory characteristic is not given.",
        "Add it to the item, with a value that its specification allows.",
    ),
    error(
        "order/missing-instance",
        "An item that modifies or deletes does not say what.",
        "Give the id of the product, service or resource as it stands in the inventory.",
    ),
    warning(
        "order/missing-type",
        "An order does not say by `@type` what it is.",
        "Add `@type`: ProductOrder, ServiceOrder or ResourceOrder.",
    ),
    warning(
        "order/nothing-ordered",
        "An item names neither an offering nor a specification.",
        "Name what is ordered.",
    ),
    warning("order/null", "A member is null.", "Leave the member out."),
    error(
        "order/offering-not-orderable",
        "An offering cannot be ordered: by its life cycle, its validity, or because it is sold in bundles only.",
        "Order another offering, or have the catalog changed.",
    ),
    error(
        "order/quantity",
        "A quantity is no whole number from 1.",
        "Give a whole number from 1.",
    ),
    warning(
        "order/quantity-unread",
        "The quantity of an item is more than one, and no rule of its product looks at it.",
        "Let a rule make what is needed so many times (`forEach: {count: item.quantity, as: number}`), or give each its own item.",
    ),
    error(
        "order/requires",
        "An item orders a product that requires another one, which is neither ordered nor installed.",
        "Order that as well.",
    ),
    warning(
        "order/requires-unseen",
        "An item orders a product that requires another one, which is not in the order; without an installed base nobody knows whether it is there.",
        "Order that as well, or name the installed base.",
    ),
    error(
        "order/specification-mismatch",
        "An item names another specification than its offering sells.",
        "Name the specification of the offering, or leave it out.",
    ),
    error(
        "order/specification-not-orderable",
        "A specification cannot be ordered, by its life cycle or validity.",
        "Order another specification, or have the catalog changed.",
    ),
    warning(
        "order/state",
        "A state is none of the standard's life cycle.",
        "Use a state of the standard, or leave it out.",
    ),
    warning(
        "order/state-spelling",
        "A state is written another way than in the standard.",
        "Write it as the message says.",
    ),
    error(
        "order/still-required",
        "An item removes a product that another one, which stays, requires.",
        "Remove that as well, or keep both.",
    ),
    error(
        "order/unknown-characteristic",
        "An item gives a characteristic that its specification does not have.",
        "Correct the name, or take the characteristic out.",
    ),
    error(
        "order/unknown-offering",
        "An item orders an offering that is not in the catalog.",
        "Correct the id, or add the offering to the catalog.",
    ),
    error(
        "order/unknown-specification",
        "An item names a specification that is not in the catalog.",
        "Correct the id, or add the specification to the catalog.",
    ),
    warning(
        "order/version-3-key",
        "A member has the name of version 3 of the standard.",
        "Use the name of version 4.",
    ),
];
