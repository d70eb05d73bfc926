//! Codes of decomposition.

use super::{Description, error};

/// The table.
pub const CODES: &[Description] = &[
    error(
        "decompose/already-installed",
        "An item adds something that is installed already.",
        "Order modify to change it; to add another one, leave its id out.",
    ),
    error(
        "decompose/count",
        "A rule is to make so many items, and the number is no whole number from 0, or too large.",
        "Correct the characteristic that the number comes from, or the rule.",
    ),
    error(
        "decompose/duplicate-element",
        "Two elements of a list, for each of which a rule makes an item, have the same key.",
        "Give each element its own key, or let the rule tell them apart by another one.",
    ),
    error(
        "decompose/duplicate-item",
        "Two items of an order lead to one id in the order below, because ids are joined by dots.",
        "Give the items ids of which none continues another one.",
    ),
    error(
        "decompose/element-key",
        "An element of a list, for each of which a rule makes an item, has no key.",
        "Give it what the rule's `key` reads: a text or a whole number.",
    ),
    error(
        "decompose/expression",
        "An expression of a rule fails with the values of this order.",
        "Correct the values, or guard the expression in the rule.",
    ),
    error(
        "decompose/inventory-needed",
        "An item changes or removes something, and the order alone does not tell what that is made of.",
        "Name the installed base (`--inventory`), or give in the order what it has.",
    ),
    error(
        "decompose/missing-characteristic",
        "What is to be made needs a characteristic that the order does not give.",
        "Give it in the order; for what is installed already, name the installed base.",
    ),
    error(
        "decompose/misspelt-member",
        "An element of a list lacks a member that a mapping reads, and has one of nearly that name, which no rule reads.",
        "Correct the name; if it is meant otherwise, choose one that differs more.",
    ),
    error(
        "decompose/no-list",
        "A rule makes an item for each element of a list, and the value is no list; or an element seems to have the list under a misspelt name.",
        "Give a list, correct its name, or the rule's `in`.",
    ),
    error(
        "decompose/not-installed",
        "An item modifies, deletes or leaves as it is something that is not installed.",
        "Give the id as it stands in the inventory.",
    ),
    error(
        "decompose/place",
        "The place that a rule names is no object.",
        "Give the place as an object, with id, name and role.",
    ),
    error(
        "decompose/share-conflict",
        "Two items share what is below them, and want different values of one characteristic.",
        "Let both give the same value, or share by a `key` that tells them apart.",
    ),
    error(
        "decompose/share-place",
        "Something is shared at a site, and no id can be made of its place, or the same of two places.",
        "Give each place an id of its own (`id`, else `href` or `name`), or let the rule say one by `place`.",
    ),
    error(
        "decompose/too-many-dependencies",
        "More dependencies between the items of an order than can be handled.",
        "Narrow the rule's `dependsOn`: by a smaller `scope`, or by `same`.",
    ),
    error(
        "decompose/too-many-items",
        "More items would be made of an order than can be handled.",
        "Split the order, or correct the number or the list that a rule goes through.",
    ),
    error(
        "decompose/unclear-installed",
        "Something installed may be what a rule makes for an element of a list, and nothing tells whether it is.",
        "Map the key of the loop to a characteristic that the installed thing has, too, or give that the id that would be computed.",
    ),
    error(
        "decompose/unknown-specification",
        "Something that is installed has a specification that is not in the catalog.",
        "Add the specification to the catalog, or correct the inventory.",
    ),
    error(
        "decompose/value",
        "A rule computes a value that the target's characteristic does not take.",
        "Correct the rule, or the values that it computes from.",
    ),
    error(
        "decompose/where",
        "The `where` of a dependency fails with the characteristics of an item.",
        "Guard it in the rule: `has(other.name) && …`.",
    ),
];
