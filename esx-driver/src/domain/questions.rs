//! Questions of domains.

use vi_client::{property_set, retrieve::PropertySet as _};
use vi_types::objects::VirtualMachineQuestionInfo;
use virt_model::ErrorNumber;

use super::Domain;
use crate::{
    Connect, Error, ErrorKind, Operation, Result,
    engine::{Change, Effect},
    question::Question,
};

property_set! {
    struct Asks: VirtualMachine {
        question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

impl Domain {
    /// The question that blocks the domain, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    pub async fn question(&self) -> Result<Option<Question>> {
        let asks: Asks = self.properties().await?;
        Ok(asks.question.map(Question::from))
    }

    /// Answers a question with the choice of that key or label ([`Question::choice`]).
    ///
    /// # Errors
    /// [`ErrorKind::Answer`] if it is none of the choices: then nothing is sent. [`ErrorKind::Fault`] if the host does
    /// not take it, for one because somebody else has answered.
    pub fn answer(&self, question: &Question, key_or_label: &str) -> Operation<'static> {
        let change = choose(question, key_or_label).map(|key| {
            let request = self.vm().answer_vm(&question.id, key);
            let (domain, id) = (self.clone(), question.id.clone());
            Change::call(self.connect.client(), request)
                .verified_by(move || Box::pin(domain.clone().has_answered(id.clone())))
        });
        Operation::of("Could not answer the question", change)
    }

    /// Whether the question of that id was answered, by whomever.
    async fn has_answered(self, id: String) -> Result<Effect<()>> {
        let asked = self.question().await?;
        Ok(match asked.is_some_and(|question| question.id == id) {
            true => Effect::NotDone,
            false => Effect::Done(()),
        })
    }
}

impl Connect {
    /// The host's domains that a question blocks, with their questions: one request.
    ///
    /// # Errors
    /// When the host cannot be read. A virtual machine that is no domain is left out.
    pub async fn questions(&self) -> Result<Vec<(Domain, Question)>> {
        let request = self
            .with_identity(self.virtual_machines().await?)
            .set::<Asks>();
        let mut questions = Vec::new();
        for mut found in self.client().retrieve(&request).await? {
            let asks = Asks::from_properties(&mut found);
            let Some(question) = asks.ok().and_then(|asks| asks.question) else {
                continue;
            };
            match self.identify(found) {
                Ok(domain) => questions.push((domain, Question::from(question))),
                Err(error) => tracing::debug!(%error, "left out of the questions"),
            }
        }
        Ok(questions)
    }
}

/// The key of the choice with that key or label.
fn choose(question: &Question, key_or_label: &str) -> Result<String> {
    let choice = question.choice(key_or_label).ok_or_else(|| {
        let answers = match question.choices.is_empty() {
            true => "no possible answers".to_owned(),
            false => format!("possible answers are {}", question.possible_answers()),
        };
        let message = format!("'{key_or_label}' does not answer the question, {answers}");
        Error::new(ErrorKind::Answer, ErrorNumber::InvalidArg, message).asking(question.clone())
    })?;
    Ok(choice.key.clone())
}
