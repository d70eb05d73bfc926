//! What follows is written while what it waits for is made durable, and goes out after both are.

use std::pin::Pin;

use super::*;

/// A journal in which an entry is durable when it is let.
#[derive(Clone)]
struct Slow {
    memory: Memory,
    durable: Arc<Semaphore>,
}

impl Slow {
    fn keep(
        &self,
        entries: &[Entry],
    ) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let kept = self.memory.keep(entries);
        let durable = Arc::clone(&self.durable);
        async move {
            durable.acquire().await.unwrap().forget();
            kept
        }
    }
}

impl Log for Slow {
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Result<(), JournalError>> + Send {
        self.keep(entries)
    }

    async fn intend(&self, entries: &[Entry], _: u64) -> Result<bool, JournalError> {
        self.keep(entries).await.map(|()| true)
    }

    async fn look(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        self.memory.look(seen).await
    }

    async fn changed(&self, seen: u64) -> Result<Vec<Foreign>, JournalError> {
        self.memory.changed(seen).await
    }
}

/// Lets everything go on that can.
async fn rest<T>(run: &mut Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    for _ in 0..99 {
        tokio::select! {
            biased;
            ended = &mut *run => return Some(ended),
            () = tokio::task::yield_now() => {}
        }
    }
    None
}

#[tokio::test]
async fn what_follows_is_written_at_once_and_sent_when_all_of_it_is_durable() {
    let plan = plan(&[("a", &[]), ("b", &["a"])]);
    let fake = Arc::<Fake>::default();
    let log = Slow {
        memory: Memory::planned(&plan),
        durable: Arc::new(Semaphore::new(0)),
    };
    let (engine, _stopper) = engine(&fake, 8);
    let entries = log.memory.kept();
    let mut run = Box::pin(engine.run(Arc::clone(&plan), log.clone(), &entries));
    let intended = ["started a"];
    let ahead = ["started a", "completed a", "started b"];
    let all = ["started a", "completed a", "started b", "completed b"];
    for (written, sent) in [
        (&intended[..], &[][..]),
        // The intent of `a` is durable.
        (&ahead, &["a"]),
        // Its outcome is, the intent of `b` is not.
        (&ahead, &["a"]),
        (&all, &["a", "b"]),
    ] {
        assert!(rest(&mut run).await.is_none());
        assert_eq!(log.memory.lines()[1..], *written);
        assert_eq!(fake.sent(), sent);
        log.durable.add_permits(1);
    }
    let report = rest(&mut run).await.expect("all of it is durable");
    assert_eq!(report.unwrap().state, RunState::Completed);
}
