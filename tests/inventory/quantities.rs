//! How many of a product there are, and what of an installed base is not there any more.

use super::*;

const CATALOG: &str = r#"
- {"@type": ProductOffering, id: PO, name: Line, productSpecification: {id: PS}}
- "@type": ProductSpecification
  id: PS
  name: Line
  productSpecCharacteristic: [{name: speed, valueType: integer, minCardinality: 1}]
- "@type": CustomerFacingServiceSpecification
  id: CFS
  name: Line
  specCharacteristic: [{name: speed, valueType: integer}]
  resourceSpecification: [{id: RS}]
- {"@type": LogicalResourceSpecification, id: RS, name: Port, resourceSpecCharacteristic: [{name: speed, valueType: integer}]}
- "@type": DecompositionRule
  formatVersion: "1.0"
  id: R
  source: {id: PS}
  target: {id: CFS}
  forEach: {count: item.quantity, as: number}
"#;

fn catalog() -> Catalog {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("catalog.yaml"), CATALOG).unwrap();
    let files = catalog::read_folder(folder.path()).unwrap();
    catalog::load(&files).unwrap().catalog.unwrap()
}

fn ordered(id: &str, action: &str, quantity: Option<u32>) -> Value {
    let mut product = json!({"productCharacteristic": [{"name": "speed", "value": id.len()}]});
    if action != "add" {
        product["id"] = "A.1".into();
    }
    let mut item =
        json!({"id": "1", "action": action, "productOffering": {"id": "PO"}, "product": product});
    if let Some(quantity) = quantity {
        item["quantity"] = quantity.into();
    }
    json!({"@type": "ProductOrder", "id": id, "productOrderItem": [item]})
}

fn carry_out(inventory: &mut Inventory, order: &Value) -> Vec<String> {
    let chain = chain(&catalog(), inventory, order);
    let changes = inventory::after(inventory, &chain);
    inventory.apply(changes);
    let actions = items(&chain, "orderItem").into_iter();
    actions
        .map(|it| it.replace("A.1.CFS", "").replace(".RS", ""))
        .collect()
}

fn quantity(inventory: &Inventory) -> Value {
    let product = inventory.document(Layer::Product, "A.1").unwrap();
    let product: Value = serde_json::from_str(product.text()).unwrap();
    product["quantity"].clone()
}

#[test]
fn a_modification_that_says_nothing_of_the_quantity_leaves_it() {
    let mut inventory = Inventory::default();
    let added = carry_out(&mut inventory, &ordered("A", "add", Some(3)));
    assert_eq!(added, ["add .1", "add .2", "add .3"]);
    assert_eq!(quantity(&inventory), 3);
    let modified = carry_out(&mut inventory, &ordered("A22", "modify", None));
    assert_eq!(modified, ["modify .1", "modify .2", "modify .3"]);
    assert_eq!(quantity(&inventory), 3);
    let fewer = carry_out(&mut inventory, &ordered("A33", "modify", Some(1)));
    assert_eq!(fewer, ["delete .2", "delete .3"]);
    assert_eq!(quantity(&inventory), 1);
    let gone = carry_out(&mut inventory, &ordered("A44", "delete", None));
    assert_eq!(gone, ["delete .1"]);
    assert_eq!(inventory.documents().count(), 0);
    carry_out(&mut inventory, &ordered("A", "add", Some(1)));
    assert_eq!(quantity(&inventory), Value::Null);
}

#[test]
fn what_was_terminated_is_not_installed() {
    let mut inventory = Inventory::default();
    carry_out(&mut inventory, &ordered("A", "add", None));
    for (list, key, status) in [
        ("realizingService", "status", "terminated"),
        ("realizingService", "status", "aborted "),
        ("supportingResource", "state", "terminated"),
    ] {
        let ended = inventory.documents().map(|document| {
            let mut value: Value = serde_json::from_str(document.text()).unwrap();
            if value.get(list).is_some() {
                value[key] = status.into();
            }
            value
        });
        let (inventory, findings) = Inventory::of(documents(&ended.collect::<Vec<_>>()));
        assert!(findings.is_empty(), "{findings:?}");
        let is_product = list == "realizingService";
        assert_eq!(inventory.product("A.1").is_none(), is_product);
        assert_eq!(inventory.service("A.1.CFS.1").is_none(), !is_product);
        assert_eq!(inventory.products_of_offering("PO").is_empty(), is_product);
        assert_eq!(inventory.documents().count(), 3, "all of them are kept");
    }
}

#[test]
fn an_order_that_was_carried_out_is_told_so() {
    let mut inventory = Inventory::default();
    let order = ordered("A", "add", None);
    carry_out(&mut inventory, &order);
    let again = chain(&catalog(), &Inventory::default(), &order);
    let [finding] = &inventory::stale(&inventory, &again)[..] else {
        panic!("one finding");
    };
    let expected = "item `1` adds product `A.1`, which this very order has added already";
    assert_eq!(finding.message, expected);
}
