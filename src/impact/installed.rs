//! What is installed, ordered anew: what becomes of it tells what changes for those who have it.

use crate::document::{Document, quote};
use crate::inventory::{Inventory, Layer};

/// An order for each product that is installed and has a specification: for another one that is
/// the same.
pub fn orders_of_installed(inventory: &Inventory) -> Vec<Document> {
    let products = inventory
        .documents()
        .filter(|it| Layer::of_installed(it) == Some(Layer::Product));
    let orders = products.filter_map(|document| {
        let root = document.root();
        let id = root.text("id").filter(|id| !id.is_empty())?;
        root.get("productSpecification")?.text("id")?;
        let members = ["productSpecification", "productCharacteristic", "place"];
        let members = members
            .iter()
            .filter_map(|name| Some(format!("{}:{}", quote(name), root.get(name)?.raw())));
        let product = members.collect::<Vec<_>>().join(",");
        let offering = root.get("productOffering");
        let offering = offering.map_or(String::new(), |it| format!("\"productOffering\":{},", it.raw()));
        let text = format!(
            "{{\"@type\":\"ProductOrder\",\"id\":{},\"productOrderItem\":[{{\"id\":\"1\",\"action\":\"add\",\
             {offering}\"product\":{{{product}}}}}]}}",
            quote(&format!("again {id}")),
        );
        Document::parse(text, "installed").ok()
    });
    orders.collect()
}
