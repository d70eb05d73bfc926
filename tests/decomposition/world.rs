//! A catalog, an installed base, and the orders that change it: without a
//! network, every order is carried out at once.

use std::path::Path;

use orderctl::catalog::{self, Catalog};
use orderctl::chain::Chain;
use orderctl::decompose::{self, Decomposer, Explanation, NotDecomposable};
use orderctl::document::{Document, SourceFile};
use orderctl::inventory::{self, Inventory};
use orderctl::validate::Validation;
use serde_json::Value;

pub struct World {
    pub catalog: Catalog,
    pub inventory: Inventory,
    /// Whether there is an installed base to compare with.
    pub compares: bool,
}

/// What an order was decomposed into.
pub struct Decomposed {
    pub chain: Chain,
    pub explanations: Vec<Explanation>,
}

/// The catalog of a file of this folder.
pub fn catalog(file: &str) -> Catalog {
    catalog_of(&yaml(file))
}

/// A file of this folder.
pub fn yaml(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/decomposition")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

/// A catalog from YAML.
pub fn catalog_of(yaml: &str) -> Catalog {
    let file = SourceFile {
        name: "catalog.yaml".to_owned(),
        bytes: yaml.as_bytes().to_vec(),
        yaml: true,
    };
    let loaded = catalog::load(&[file]).unwrap();
    loaded
        .catalog
        .unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

impl World {
    /// A network where nothing is installed.
    pub fn new(catalog: Catalog) -> World {
        World {
            catalog,
            inventory: Inventory::default(),
            compares: true,
        }
    }

    /// Decomposes an order.
    pub fn decompose(&self, order: &Value) -> Decomposed {
        self.try_decompose(order)
            .unwrap_or_else(|NotDecomposable(faults)| panic!("{faults:#?}"))
    }

    pub fn try_decompose(&self, order: &Value) -> Result<Decomposed, NotDecomposable> {
        let root = Document::parse(order.to_string(), "order.json").unwrap();
        let with = Decomposer {
            catalog: &self.catalog,
            inventory: Some(&self.inventory).filter(|_| self.compares),
            explain: true,
        };
        let validation = Validation {
            catalog: Some(&self.catalog),
            inventory: with.inventory,
            strict: false,
            now: None,
        };
        let checked = validation.check(&root);
        let product = checked
            .order
            .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
        let services = decompose::service_order(&with, &product)?;
        let mut explanations = services.explanations;
        let mut documents = vec![root.clone()];
        if let Some(document) = services.document {
            let checked = validation.check(&document);
            let service = checked
                .order
                .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
            let resources = decompose::resource_order(&with, &service, Some(&product))?;
            // A service order that comes alone gives the same, as far as nothing reads the product.
            let alone = decompose::resource_order(&with, &service, None)?;
            assert_eq!(
                resources.document.as_ref().map(Document::text),
                alone.document.as_ref().map(Document::text)
            );
            explanations.extend(resources.explanations);
            documents.push(document.clone());
            documents.extend(resources.document);
        }
        Ok(Decomposed {
            chain: Chain { documents },
            explanations,
        })
    }

    /// Decomposes an order and carries it out.
    pub fn carry_out(&mut self, order: &Value) -> Decomposed {
        let decomposed = self.decompose(order);
        self.inventory
            .apply(inventory::after(&self.inventory, &decomposed.chain));
        decomposed
    }

    /// Ids of what is installed.
    pub fn installed(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .inventory
            .documents()
            .map(|it| it.root().text("id").unwrap_or_default().into_owned())
            .collect();
        ids.sort();
        ids
    }

    /// Ids that an installed thing refers to.
    pub fn below(&self, id: &str) -> Vec<String> {
        let document = self
            .inventory
            .documents()
            .find(|it| it.root().text("id").as_deref() == Some(id))
            .unwrap_or_else(|| panic!("{id} is not installed: {:?}", self.installed()));
        [
            "realizingService",
            "supportingService",
            "supportingResource",
        ]
        .iter()
        .flat_map(|key| document.root().list(key))
        .map(|it| it.text("id").unwrap_or_default().into_owned())
        .collect()
    }
}

impl Decomposed {
    fn items(&self, position: usize) -> Vec<Value> {
        let Some(document) = self.chain.documents.get(position) else {
            return Vec::new();
        };
        let order: Value = serde_json::from_str(document.text()).unwrap();
        let list = order
            .get("serviceOrderItem")
            .or_else(|| order.get("orderItem"));
        list.and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// Items of the service order.
    pub fn services(&self) -> Vec<Value> {
        self.items(1)
    }

    /// Items of the resource order.
    pub fn resources(&self) -> Vec<Value> {
        self.items(2)
    }

    /// What is told of each step.
    pub fn told(&self) -> Vec<String> {
        self.explanations.iter().map(ToString::to_string).collect()
    }
}

/// An installed base of these documents.
pub fn inventory_of(documents: &[String]) -> Inventory {
    let parse = |text: &String| Document::parse(text.clone(), "inventory").unwrap();
    Inventory::of(documents.iter().map(parse).collect()).0
}

/// Action and item id.
pub fn actions(items: &[Value]) -> Vec<String> {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|it| format!("{} {}", text(it, "action"), text(it, "id")))
        .collect()
}

/// The item of this id.
pub fn item<'i>(items: &'i [Value], id: &str) -> &'i Value {
    items
        .iter()
        .find(|it| it["id"] == id)
        .unwrap_or_else(|| panic!("no item {id}: {:?}", actions(items)))
}

/// Ids of the items that an item is related to in this way.
pub fn related(item: &Value, kind: &str) -> Vec<String> {
    let list = item
        .get("serviceOrderItemRelationship")
        .or_else(|| item.get("orderItemRelationship"));
    let list = list.and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter()
        .filter(|it| it["relationshipType"] == kind)
        .map(|it| it["orderItem"]["itemId"].as_str().unwrap().to_owned())
        .collect()
}

/// The value of a characteristic of what an item is about.
pub fn value(item: &Value, name: &str) -> Value {
    let (entity, list) = match item.get("service") {
        Some(service) => (service, "serviceCharacteristic"),
        None => (&item["resource"], "resourceCharacteristic"),
    };
    let list = entity[list].as_array().cloned().unwrap_or_default();
    let found = list.into_iter().find(|it| it["name"] == name);
    found.map_or(Value::Null, |it| it["value"].clone())
}

/// An order with one item.
pub fn order(id: &str, action: &str, offering: &str, product: &Value) -> Value {
    serde_json::json!({
        "@type": "ProductOrder", "id": id, "externalId": id,
        "productOrderItem": [{
            "id": "1", "action": action, "productOffering": {"id": offering}, "product": product
        }]
    })
}

/// Characteristics from an object.
pub fn characteristics(values: &Value) -> Value {
    let members = values.as_object().unwrap().iter();
    members
        .map(|(name, value)| serde_json::json!({"name": name, "value": value}))
        .collect()
}
