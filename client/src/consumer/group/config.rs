//! What a member of a group is told before it starts.

use crate::consumer::ConsumerBuilder;

/// By which protocol the members of a group come to what each of them reads.
///
/// ```
/// assert_eq!(strandline_client::GroupProtocol::default(), strandline_client::GroupProtocol::Classic);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum GroupProtocol {
    /// Members join in rounds, and one of them gives out the partitions. Any broker knows it.
    #[default]
    Classic,
    /// The coordinator gives them out, and each member follows at its own pace (KIP-848). Brokers know it since
    /// Kafka 4.0, and groups of [`Classic`](Self::Classic) members are taken over while they run.
    Consumer,
}

impl ConsumerBuilder {
    /// By which protocol its group works.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// use strandline_client::GroupProtocol;
    /// let builder = client.consumer().group("billing").group_protocol(GroupProtocol::Consumer);
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub const fn group_protocol(mut self, protocol: GroupProtocol) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.protocol = protocol;
        }
        self
    }

    /// Which of the coordinator's rules it would have, in [`GroupProtocol::Consumer`]: `uniform` or `range`, as brokers
    /// have them without settings of their own.
    ///
    /// ```
    /// # fn example(client: &strandline_client::Client) {
    /// use strandline_client::GroupProtocol;
    /// let builder = client.consumer().group("billing").group_protocol(GroupProtocol::Consumer);
    /// let builder = builder.server_assignor("range");
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.client); Ok(()) });
    /// ```
    pub fn server_assignor(mut self, name: &str) -> Self {
        if let Some(group) = &mut self.settings.group {
            group.server_assignor = Some(name.to_owned());
        }
        self
    }
}
