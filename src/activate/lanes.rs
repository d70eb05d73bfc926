//! So many pieces of work at once, their results in the order in which they
//! were begun.

use std::collections::{BTreeMap, HashSet};

use tokio::task::{JoinError, JoinSet};

/// How many results may wait for an earlier one. Work goes on beside a piece
/// that takes long, but memory does not grow with the length of the stream.
const WAITING: usize = 512;

/// Work under way, and results that wait for their turn.
#[derive(Debug)]
pub struct Lanes<T> {
    limit: usize,
    running: JoinSet<(u64, T)>,
    busy: HashSet<String>,
    names: BTreeMap<u64, String>,
    ended: BTreeMap<u64, T>,
    /// Subjects of the results that wait for an earlier one.
    waiting: BTreeMap<u64, String>,
    begun: u64,
    taken: u64,
}

impl<T: Send + 'static> Lanes<T> {
    /// As many lanes as `limit`, at least one.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            running: JoinSet::new(),
            busy: HashSet::new(),
            names: BTreeMap::new(),
            ended: BTreeMap::new(),
            waiting: BTreeMap::new(),
            begun: 0,
            taken: 0,
        }
    }

    /// Whether work on `subject` may begin: there is a lane for it, and nobody
    /// is at work on the same subject.
    #[must_use]
    pub fn is_free_for(&self, subject: &str) -> bool {
        self.running.len() < self.limit
            && self.ended.len() < WAITING
            && !self.busy.contains(subject)
    }

    /// Whether nobody is at work on a subject, and the results of all work on it were taken.
    #[must_use]
    pub fn is_over(&self, subject: &str) -> bool {
        !self.busy.contains(subject) && !self.waiting.values().any(|it| it == subject)
    }

    /// Begins work on a subject. Must run on a tokio runtime.
    pub fn begin(&mut self, subject: String, work: impl Future<Output = T> + Send + 'static) {
        let number = self.next_number();
        self.busy.insert(subject.clone());
        self.names.insert(number, subject);
        self.running.spawn(async move { (number, work.await) });
    }

    /// Takes something that needs no work into the sequence.
    pub fn pass(&mut self, result: T) {
        let number = self.next_number();
        self.ended.insert(number, result);
    }

    /// Waits until some work has ended; never done where none is under way.
    ///
    /// # Errors
    /// Where it panicked.
    pub async fn ended(&mut self) -> Result<(), JoinError> {
        let Some(ended) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        let (number, result) = ended?;
        if let Some(subject) = self.names.remove(&number) {
            self.busy.remove(&subject);
            self.waiting.insert(number, subject);
        }
        self.ended.insert(number, result);
        Ok(())
    }

    /// The next result, if its turn has come.
    pub fn take(&mut self) -> Option<T> {
        let result = self.ended.remove(&self.taken)?;
        self.waiting.remove(&self.taken);
        self.taken += 1;
        Some(result)
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    fn next_number(&mut self) -> u64 {
        let number = self.begun;
        self.begun += 1;
        number
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn results_come_in_the_order_of_their_beginning() {
        let mut lanes = Lanes::new(2);
        let (end, ended) = oneshot::channel::<()>();
        lanes.begin("a".into(), async move {
            ended.await.unwrap();
            'a'
        });
        assert!(lanes.is_free_for("b"));
        lanes.begin("b".into(), async { 'b' });
        assert!(!lanes.is_free_for("c"), "both lanes are taken");
        lanes.pass('-');
        lanes.ended().await.unwrap();
        assert_eq!(lanes.take(), None, "the first one is still under way");
        assert!(lanes.is_free_for("c"), "it keeps nobody else from work");
        lanes.begin("c".into(), async { 'c' });
        lanes.ended().await.unwrap();
        end.send(()).unwrap();
        lanes.ended().await.unwrap();
        assert!(lanes.is_idle());
        let taken: String = std::iter::from_fn(|| lanes.take()).collect();
        assert_eq!(taken, "ab-c");
    }

    #[tokio::test]
    async fn a_subject_is_worked_on_once_at_a_time() {
        let mut lanes = Lanes::new(9);
        lanes.begin("a".into(), async {});
        assert!(!lanes.is_free_for("a"));
        lanes.ended().await.unwrap();
        assert!(lanes.is_free_for("a"));
    }

    #[tokio::test]
    async fn work_is_over_once_its_result_is_taken() {
        let mut lanes = Lanes::new(2);
        let (end, ended) = oneshot::channel::<()>();
        lanes.begin("a".into(), async move { ended.await.unwrap() });
        lanes.begin("b".into(), async {});
        assert!(!lanes.is_over("b"));
        lanes.ended().await.unwrap();
        assert!(lanes.is_free_for("b") && !lanes.is_over("b"), "it waits");
        end.send(()).unwrap();
        lanes.ended().await.unwrap();
        assert_eq!(std::iter::from_fn(|| lanes.take()).count(), 2);
        assert!(lanes.is_over("b"));
    }

    #[tokio::test]
    async fn only_so_many_results_wait_for_an_earlier_one() {
        let mut lanes = Lanes::new(2);
        lanes.begin("a".into(), std::future::pending());
        for _ in 0..WAITING {
            assert!(lanes.is_free_for("b"));
            lanes.begin("b".into(), async {});
            lanes.ended().await.unwrap();
        }
        assert!(!lanes.is_free_for("b"));
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let mut lanes = Lanes::new(1);
        lanes.begin("a".into(), async { panic!("as it is to be") });
        assert!(lanes.ended().await.unwrap_err().is_panic());
    }
}
