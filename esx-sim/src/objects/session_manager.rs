//! SessionManager: login and logout.

use vi_types::methods::{Login, Logout, SessionIsActive};
use vi_types::objects::UserSession;
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::session::Sessions;
use crate::simulator::end_session;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(login).anonymous(),
        Row::new(logout),
        Row::new(session_is_active),
    ]
}

fn login(call: &mut Call<'_>, request: &Login) -> Result<UserSession, SoapFault> {
    let settings = call.settings;
    if request.user_name != settings.user || request.password != settings.password {
        return Err(fault::invalid_login());
    }
    let locale = request.locale.as_deref();
    let (cookie, session) = call.state.sessions.begin(&request.user_name, locale);
    call.new_cookie = Some(cookie);
    Ok(session)
}

fn logout(call: &mut Call<'_>, _: &Logout) -> Result<(), SoapFault> {
    if let Some(session) = call
        .cookie
        .and_then(|cookie| call.state.sessions.end(cookie))
    {
        end_session(call.state, &session);
    }
    Ok(())
}

fn session_is_active(
    call: &mut Call<'_>,
    request: &SessionIsActive,
) -> Result<bool, SoapFault> {
    Ok(call
        .state
        .sessions
        .all()
        .any(|session| session.key == request.session_id && session.user_name == request.user_name))
}

/// The properties as the holder of a cookie sees them.
pub(crate) fn properties(
    stored: &properties::SessionManager,
    sessions: &Sessions,
    cookie: Option<&str>,
) -> properties::SessionManager {
    let own = cookie.and_then(|cookie| sessions.with_cookie(cookie));
    properties::SessionManager {
        current_session: own.map(|session| session.clone().into()),
        session_list: match own {
            Some(_) => sessions.all().cloned().collect(),
            None => Vec::new(),
        },
        ..stored.clone()
    }
}
