//! `listen`: rows as they change, until somebody cancels.

use tokio::sync::mpsc;

use super::ear::Ear;
use super::execute::{Request, find_command, known_arguments, row_of};
use super::query;
use super::state::{Refusal, State, id_text};
use crate::proto::word::put_word;

impl State {
    /// Begins to listen; the rows come in wire form without tag.
    pub(super) fn listen(&mut self, request: &Request) -> Result<mpsc::UnboundedReceiver<Vec<u8>>, Vec<Refusal>> {
        let menu = request.path.strip_suffix("/listen").unwrap_or(&request.path).to_owned();
        // It is a print that goes on, and takes the same arguments; the schema does not list it.
        find_command(self, &menu, "print")?;
        known_arguments(self, &menu, "print", request).map_err(|refusal| vec![refusal])?;
        let Some(table) = self.table_mut(&menu) else { return Err(vec![Refusal::plain("no such command")]) };
        table.watch();
        let (rows, receiver) = mpsc::unbounded_channel();
        self.ears.push(Ear { menu, queries: request.queries.clone(), wanted: request.wanted(), rows });
        Ok(receiver)
    }

    /// Tells everybody who listens what changed since the last time.
    pub(super) fn tell(&mut self) {
        if self.ears.is_empty() {
            return;
        }
        let mut ears = std::mem::take(&mut self.ears);
        let mut menus: Vec<String> = ears.iter().map(|ear| ear.menu.clone()).collect();
        menus.sort_unstable();
        menus.dedup();
        for menu in menus {
            let changed = self.table_mut(&menu).map(|table| table.take_changes()).unwrap_or_default();
            for id in changed {
                for ear in ears.iter().filter(|ear| ear.menu == menu) {
                    // Nobody hears it any more: the ear goes below.
                    let _ = self.row_for(ear, id).map(|row| ear.rows.send(row));
                }
            }
        }
        ears.retain(|ear| !ear.rows.is_closed());
        self.ears = ears;
    }

    fn row_for(&self, ear: &Ear, id: u32) -> Option<Vec<u8>> {
        let Some(item) = self.table(&ear.menu).and_then(|table| table.item(id)) else {
            let mut row = Vec::new();
            put_word(&mut row, format!("=.id={}", id_text(id)).as_bytes());
            put_word(&mut row, b"=.dead=true");
            return Some(row);
        };
        let view = self.view(&ear.menu, id, item);
        query::matches(&ear.queries, &view).then(|| row_of(&view, ear.wanted.as_deref()))
    }
}
