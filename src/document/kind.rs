//! Which document a document is: by `@type`, by `@baseType`, else by the
//! members that only one kind has.

use super::tape::{Document, Node};

/// The kinds of document that orderctl knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentKind {
    /// TMF622 ProductOrder.
    ProductOrder,
    /// TMF641 ServiceOrder.
    ServiceOrder,
    /// TMF652 ResourceOrder.
    ResourceOrder,
    /// Our plan over TMF701 ProcessFlow.
    OrchestrationPlan,
    /// TMF620 ProductOffering.
    ProductOffering,
    /// TMF620 ProductSpecification.
    ProductSpecification,
    /// TMF633 ServiceSpecification, customer- or resource-facing.
    ServiceSpecification,
    /// TMF634 ResourceSpecification, logical or physical.
    ResourceSpecification,
    /// Our decomposition rule.
    DecompositionRule,
    /// Our activation rule.
    ActivationRule,
    /// Our gate rule.
    GateRule,
    /// Our rollout rule.
    RolloutRule,
    /// Our constraint rule.
    ConstraintRule,
    /// TMF637 Product.
    Product,
    /// TMF638 Service, customer- or resource-facing.
    Service,
    /// TMF639 Resource, logical or physical.
    Resource,
    /// Anything else: passed on untouched.
    Other,
}

impl DocumentKind {
    /// Kind of a document.
    pub fn of(document: &Document) -> DocumentKind {
        let root = document.root();
        let by_name = |key: &str| root.text(key).and_then(|name| Self::by_type(&name));
        by_name("@type")
            .or_else(|| by_name("@baseType"))
            .unwrap_or_else(|| Self::by_shape(root))
    }

    /// Name as in `@type`, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProductOrder => "ProductOrder",
            Self::ServiceOrder => "ServiceOrder",
            Self::ResourceOrder => "ResourceOrder",
            Self::OrchestrationPlan => "OrchestrationPlan",
            Self::ProductOffering => "ProductOffering",
            Self::ProductSpecification => "ProductSpecification",
            Self::ServiceSpecification => "ServiceSpecification",
            Self::ResourceSpecification => "ResourceSpecification",
            Self::DecompositionRule => "DecompositionRule",
            Self::ActivationRule => "ActivationRule",
            Self::GateRule => "GateRule",
            Self::RolloutRule => "RolloutRule",
            Self::ConstraintRule => "ConstraintRule",
            Self::Product => "Product",
            Self::Service => "Service",
            Self::Resource => "Resource",
            Self::Other => "document",
        }
    }

    /// Whether it is a rule of ours.
    pub fn is_rule(self) -> bool {
        match self {
            Self::DecompositionRule
            | Self::ActivationRule
            | Self::GateRule
            | Self::RolloutRule
            | Self::ConstraintRule => true,
            Self::ProductOrder
            | Self::ServiceOrder
            | Self::ResourceOrder
            | Self::OrchestrationPlan
            | Self::ProductOffering
            | Self::ProductSpecification
            | Self::ServiceSpecification
            | Self::ResourceSpecification
            | Self::Product
            | Self::Service
            | Self::Resource
            | Self::Other => false,
        }
    }

    /// What a catalog is made of: offerings, specifications and rules.
    pub const OF_CATALOG: [DocumentKind; 9] = [
        Self::ProductOffering,
        Self::ProductSpecification,
        Self::ServiceSpecification,
        Self::ResourceSpecification,
        Self::DecompositionRule,
        Self::ActivationRule,
        Self::GateRule,
        Self::RolloutRule,
        Self::ConstraintRule,
    ];

    /// Whether a catalog is made of it.
    pub fn is_of_catalog(self) -> bool {
        Self::OF_CATALOG.contains(&self)
    }

    fn by_type(name: &str) -> Option<DocumentKind> {
        Some(match name {
            "ProductOrder" | "productOrder" => Self::ProductOrder,
            "ServiceOrder" | "serviceOrder" => Self::ServiceOrder,
            "ResourceOrder" | "resourceOrder" => Self::ResourceOrder,
            "OrchestrationPlan" => Self::OrchestrationPlan,
            "ProductOffering" => Self::ProductOffering,
            "ProductSpecification" => Self::ProductSpecification,
            "ServiceSpecification"
            | "CustomerFacingServiceSpecification"
            | "ResourceFacingServiceSpecification" => Self::ServiceSpecification,
            "ResourceSpecification"
            | "LogicalResourceSpecification"
            | "PhysicalResourceSpecification"
            | "ResourceFunctionSpecification" => Self::ResourceSpecification,
            "DecompositionRule" => Self::DecompositionRule,
            "ActivationRule" => Self::ActivationRule,
            "GateRule" => Self::GateRule,
            "RolloutRule" => Self::RolloutRule,
            "ConstraintRule" => Self::ConstraintRule,
            "Product" => Self::Product,
            "Service" | "CustomerFacingService" | "ResourceFacingService" => Self::Service,
            "Resource" | "LogicalResource" | "PhysicalResource" | "ResourceFunction"
            | "NetworkFunction" => Self::Resource,
            _ => return None,
        })
    }

    fn by_shape(root: Node<'_>) -> DocumentKind {
        if root.get("productOrderItem").is_some() {
            return Self::ProductOrder;
        }
        if root.get("serviceOrderItem").is_some() {
            return Self::ServiceOrder;
        }
        if root.get("orderItem").is_some() {
            // TMF652, or an order of one of the version 3 standards.
            for item in root.list("orderItem") {
                for (member, kind) in [
                    ("resource", Self::ResourceOrder),
                    ("resourceSpecification", Self::ResourceOrder),
                    ("service", Self::ServiceOrder),
                    ("product", Self::ProductOrder),
                    ("productOffering", Self::ProductOrder),
                ] {
                    if item.get(member).is_some() {
                        return kind;
                    }
                }
            }
            return Self::ResourceOrder;
        }
        Self::Other
    }
}
