//! What can be reached at all: which ways of every step can be taken, and what is made by them.

use std::collections::BTreeSet;

use super::view::{MADE, View};
use crate::catalog::expression::{Bindings, Expression};
use crate::catalog::space::Space;
use crate::catalog::{
    Alternative, Catalog, Decomposition, ProductIndex, ServiceIndex, Specification,
};
use crate::parallel;

/// A step of the catalog.
pub struct Step<'c> {
    /// What is decomposed.
    pub source: &'c Specification,
    /// Position of what is decomposed, if it is a service.
    pub service: Option<ServiceIndex>,
    /// The step.
    pub decomposition: &'c Decomposition,
    /// Behind its variables.
    pub view: View<'c>,
    /// For each of its alternatives, whether it can be taken.
    pub taken: Vec<bool>,
}

impl<'c> Step<'c> {
    /// Its alternatives that can be taken.
    pub fn alternatives(&self) -> impl Iterator<Item = &'c Alternative> {
        let taken = self.taken.clone().into_iter();
        let alternatives = self.decomposition.alternatives.iter().zip(taken);
        alternatives.filter(|(_, taken)| *taken).map(|(it, _)| it)
    }
}

/// What can be reached.
pub struct Survey<'c> {
    /// All steps, those of products first.
    pub steps: Vec<Step<'c>>,
    /// Positions of the services that can be made.
    pub services: BTreeSet<usize>,
    /// Positions of the resources that can be made.
    pub resources: BTreeSet<usize>,
    /// For each service the products that it can be made for, by what refers to it.
    pub products: Vec<Vec<ProductIndex>>,
}

impl<'c> Survey<'c> {
    pub fn of(catalog: &'c Catalog) -> Survey<'c> {
        let products = products(catalog);
        let mut open = Vec::new();
        for product in catalog.products() {
            let specification = &product.specification;
            for decomposition in &product.decompositions {
                let view = view(vec![specification], vec![specification]);
                open.push(((specification, None), decomposition, view));
            }
        }
        for (index, service) in catalog.services().iter().enumerate() {
            let of_products = products[index].iter();
            let behind: Vec<&Specification> = of_products
                .map(|it| &catalog.product_at(*it).specification)
                .collect();
            for decomposition in &service.decompositions {
                let view = view(vec![&service.specification], behind.clone());
                let source = (&service.specification, Some(ServiceIndex(index)));
                open.push((source, decomposition, view));
            }
        }
        let step = |(source, decomposition, view)| step(source, decomposition, view);
        let steps = parallel::map_many(open, step);
        let mut survey = Survey {
            steps,
            services: BTreeSet::new(),
            resources: BTreeSet::new(),
            products,
        };
        survey.reach(catalog);
        survey
    }

    /// Follows the steps that can be taken from the products.
    fn reach(&mut self, catalog: &Catalog) {
        let mut from: Vec<Vec<usize>> = vec![Vec::new(); catalog.services().len()];
        let mut open: Vec<usize> = Vec::new();
        for step in self.steps.iter().filter(|it| it.taken.contains(&true)) {
            let target = step.decomposition.target.0;
            match step.service {
                Some(source) => from[source.0].push(target),
                None => open.push(target),
            }
        }
        while let Some(service) = open.pop() {
            if self.services.insert(service) {
                open.extend(&from[service]);
                let resources = catalog.services()[service].resources.iter();
                self.resources.extend(resources.map(|it| it.0));
            }
        }
    }
}

fn view<'c>(source: Vec<&'c Specification>, product: Vec<&'c Specification>) -> View<'c> {
    View {
        source,
        product,
        other: None,
        product_is_partial: false,
        actions: MADE,
    }
}

fn step<'c>(
    (source, service): (&'c Specification, Option<ServiceIndex>),
    decomposition: &'c Decomposition,
    view: View<'c>,
) -> Step<'c> {
    let mut taken = Vec::new();
    let mut before: Vec<&Expression> = Vec::new();
    let mut all_taken = false;
    for alternative in &decomposition.alternatives {
        let condition = alternative.condition.as_ref();
        taken.push(!all_taken && can_be_taken(condition, &before, &view));
        match condition {
            Some(condition) => before.push(condition),
            None => all_taken = true,
        }
    }
    Step {
        source,
        service,
        decomposition,
        view,
        taken,
    }
}

/// Whether a condition holds for some values for which none of those before it does; what cannot be
/// said counts as yes.
fn can_be_taken(condition: Option<&Expression>, before: &[&Expression], view: &View<'_>) -> bool {
    if condition.is_none() && before.is_empty() {
        return true;
    }
    let expressions = before.iter().copied().chain(condition);
    let Some(space) = Space::of(expressions, &|it| view.domain(it)) else {
        return true;
    };
    // What breaks is a fault of the run, not one of reach.
    let free = |bindings: &Bindings<'_>| {
        condition.is_none_or(|it| it.holds(bindings) != Ok(false))
            && before.iter().all(|it| it.holds(bindings) != Ok(true))
    };
    space.any(&mut |bindings| free(bindings))
}

/// For each service the products from which steps lead to it.
fn products(catalog: &Catalog) -> Vec<Vec<ProductIndex>> {
    let mut products: Vec<Vec<ProductIndex>> = vec![Vec::new(); catalog.services().len()];
    for (index, product) in catalog.products().iter().enumerate() {
        let index = ProductIndex(index);
        let mut open: Vec<ServiceIndex> =
            product.decompositions.iter().map(|it| it.target).collect();
        while let Some(service) = open.pop() {
            let known = &mut products[service.0];
            if known.last() != Some(&index) {
                known.push(index);
                let below = &catalog.service_at(service).decompositions;
                open.extend(below.iter().map(|it| it.target));
            }
        }
    }
    products
}
