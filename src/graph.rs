//! Directed graphs over positions: order of work, cycles.

/// The cycles of a graph given by its edges `from → edges[from]`: one cycle
/// for each strongly connected part that has one, the smallest member first,
/// each member pointing to the next. Linear in nodes and edges.
pub fn cycles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    for component in components(edges) {
        let looped = component.len() == 1 && edges[component[0]].contains(&component[0]);
        if looped {
            found.push(component);
        } else if component.len() > 1 {
            found.push(cycle_within(edges, &component));
        }
    }
    found.sort_unstable();
    found
}

/// A shortest cycle through the smallest member of a strongly connected part.
fn cycle_within(edges: &[Vec<usize>], component: &[usize]) -> Vec<usize> {
    let start = component.iter().copied().min().unwrap_or_default();
    let mut members = component.to_vec();
    members.sort_unstable();
    let mut came_from = std::collections::HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &next in &edges[node] {
            if next == start {
                let mut cycle = vec![node];
                let mut here = node;
                while here != start {
                    here = came_from[&here];
                    cycle.push(here);
                }
                cycle.reverse();
                return cycle;
            }
            if members.binary_search(&next).is_ok() && !came_from.contains_key(&next) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    vec![start]
}

/// Strongly connected parts (Tarjan): each after those that its edges lead to. Without recursion:
/// plans have 100,000 tasks.
pub fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let mut number = vec![UNSEEN; count];
    let mut low = vec![0; count];
    let mut on_stack = vec![false; count];
    let (mut stack, mut parts, mut next_number) = (Vec::new(), Vec::new(), 0);
    for root in 0..count {
        if number[root] != UNSEEN {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some((node, edge)) = work.pop() {
            if edge == 0 {
                number[node] = next_number;
                low[node] = next_number;
                next_number += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&next) = edges[node].get(edge) {
                work.push((node, edge + 1));
                if number[next] == UNSEEN {
                    work.push((next, 0));
                } else if on_stack[next] {
                    low[node] = low[node].min(number[next]);
                }
                continue;
            }
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == number[node] {
                let mut part = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    part.push(member);
                    if member == node {
                        break;
                    }
                }
                parts.push(part);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_named_by_its_members_in_order() {
        let edges = vec![vec![1], vec![2], vec![0, 3], vec![]];
        assert_eq!(cycles(&edges), vec![vec![0, 1, 2]]);
    }

    #[test]
    fn a_node_that_waits_for_itself_is_a_cycle() {
        assert_eq!(cycles(&[vec![], vec![1]]), vec![vec![1]]);
    }

    #[test]
    fn separate_cycles_are_all_named() {
        let edges = vec![vec![1], vec![0], vec![3], vec![2], vec![0, 2]];
        assert_eq!(cycles(&edges), vec![vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn a_long_chain_is_no_cycle_and_needs_no_stack() {
        let mut edges: Vec<Vec<usize>> = (0..200_000).map(|node| vec![node + 1]).collect();
        edges.push(Vec::new());
        assert!(cycles(&edges).is_empty());
    }
}
