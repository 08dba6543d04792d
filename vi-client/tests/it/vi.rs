//! A VI server of a few lines: it has a service content and sessions, the rest each test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use vi_client::transport::{BoxFuture, InProcess};
use vi_client::{Client, Options};

/// A call as the server sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) body: String,
    pub(crate) action: Option<String>,
    pub(crate) cookie: Option<String>,
}

type Answer = dyn Fn(&Call) -> Option<Response<Bytes>> + Send + Sync;

pub(crate) struct Vi {
    version: &'static str,
    /// The session that counts; calls with another cookie are not authenticated.
    session: AtomicUsize,
    pub(crate) calls: Mutex<Vec<Call>>,
    answer: Box<Answer>,
}

impl Vi {
    /// A server of an API version; `answer` goes before its own answers.
    pub(crate) fn new(
        version: &'static str,
        answer: impl Fn(&Call) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            version,
            session: AtomicUsize::new(0),
            calls: Mutex::default(),
            answer: Box::new(answer),
        })
    }

    pub(crate) fn transport(self: &Arc<Self>) -> InProcess {
        let server = self.clone();
        InProcess::new(move |request| -> BoxFuture<'static, _> {
            let server = server.clone();
            Box::pin(async move {
                // So that parallel calls are under way together.
                tokio::task::yield_now().await;
                server.serve(&request)
            })
        })
    }

    pub(crate) async fn connect(self: &Arc<Self>) -> Client {
        Client::connect(self.transport(), Options::default())
            .await
            .unwrap()
    }

    pub(crate) async fn log_in(self: &Arc<Self>) -> Client {
        let client = self.connect().await;
        client.login("root", "s3cret<&>").await.unwrap();
        client
    }

    /// What the test's part of this server answers to a call to another one.
    pub(crate) fn answer_to(&self, call: &Call) -> Option<Response<Bytes>> {
        (self.answer)(call)
    }

    /// Ends the session, as servers do after a while.
    pub(crate) fn expire(&self) {
        self.session.fetch_add(1000, Ordering::SeqCst);
    }

    /// The methods called, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|call| call.method.clone()).collect()
    }

    pub(crate) fn count(&self, method: &str) -> usize {
        self.methods()
            .iter()
            .filter(|called| *called == method)
            .count()
    }

    pub(crate) fn last(&self) -> Call {
        self.calls.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn serve(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let method = match body.split_once("Body><") {
            Some((_, inside)) => inside.split([' ', '>', '/']).next().unwrap().to_owned(),
            None => request.uri().path().to_owned(),
        };
        let call = Call {
            method,
            body,
            action: header("soapaction"),
            cookie: header("cookie"),
        };
        self.calls.lock().unwrap().push(call.clone());
        if let Some(answer) = (self.answer)(&call) {
            return answer;
        }
        let current = format!(
            "vmware_soap_session=\"s{}\"",
            self.session.load(Ordering::SeqCst)
        );
        match call.method.as_str() {
            "RetrieveServiceContent" => {
                let mut answer = result(&call.method, &service_content(self.version));
                set_cookie(&mut answer, "vmware_soap_session=\"anonymous\"; Path=/");
                answer
            }
            "Login"
                if !call
                    .body
                    .contains("<password>s3cret&lt;&amp;&gt;</password>") =>
            {
                fault(
                    "InvalidLogin",
                    "Cannot complete login due to an incorrect user name or password.",
                )
            }
            "Login" => {
                let session = self.session.fetch_add(1, Ordering::SeqCst) + 1;
                let mut answer = result("Login", &user_session());
                let cookie = format!("vmware_soap_session=\"s{session}\"; Path=/; HttpOnly;");
                set_cookie(&mut answer, &cookie);
                answer
            }
            _ if call.cookie.as_deref() != Some(&current) => {
                let mut answer = not_authenticated();
                // What real servers do to whoever has no session.
                set_cookie(&mut answer, "vmware_soap_session=\"anonymous\"; Path=/");
                answer
            }
            "CurrentTime" => result("CurrentTime", "<returnval>2026-11-21T22:00:00Z</returnval>"),
            "Logout" => {
                self.expire();
                result("Logout", "")
            }
            _ => result(&call.method, ""),
        }
    }
}

pub(crate) fn set_cookie(answer: &mut Response<Bytes>, cookie: &str) {
    let value = http::HeaderValue::from_str(cookie).unwrap();
    answer.headers_mut().insert("set-cookie", value);
}

pub(crate) fn not_authenticated() -> Response<Bytes> {
    fault("NotAuthenticated", "The session is not authenticated.")
}

pub(crate) fn envelope(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
         <soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>"
    )
}

pub(crate) fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

pub(crate) fn result(method: &str, inside: &str) -> Response<Bytes> {
    let body = format!("<{method}Response xmlns=\"urn:vim25\">{inside}</{method}Response>");
    answer(200, "text/xml; charset=utf-8", envelope(&body))
}

pub(crate) fn fault(name: &str, string: &str) -> Response<Bytes> {
    let detail = match name {
        "" => String::new(),
        name => format!(
            "<detail><{name}Fault xmlns=\"urn:vim25\" xsi:type=\"{name}\">\
             <object type=\"Folder\">ha-folder-root</object><privilegeId>System.View</privilegeId>\
             <obj type=\"VirtualMachine\">7</obj></{name}Fault></detail>"
        ),
    };
    let body = format!(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{string}</faultstring>{detail}</soapenv:Fault>"
    );
    answer(500, "text/xml; charset=utf-8", envelope(&body))
}

fn service_content(version: &str) -> String {
    format!(
        "<returnval><rootFolder type=\"Folder\">ha-folder-root</rootFolder>\
         <propertyCollector type=\"PropertyCollector\">ha-property-collector</propertyCollector>\
         <viewManager type=\"ViewManager\">ViewManager</viewManager>\
         <about><name>VMware ESXi</name><fullName>VMware ESXi of the tests</fullName><vendor>VMware, Inc.</vendor>\
         <version>{version}</version><build>1</build><osType>vmnix-x86</osType>\
         <productLineId>embeddedEsx</productLineId><apiType>HostAgent</apiType><apiVersion>{version}</apiVersion></about>\
         <sessionManager type=\"SessionManager\">ha-sessionmgr</sessionManager></returnval>"
    )
}

fn user_session() -> String {
    "<returnval><key>52aa-key</key><userName>root</userName><fullName>Administrator</fullName>\
     <loginTime>2026-11-21T22:00:00Z</loginTime><lastActiveTime>2026-11-21T22:00:00Z</lastActiveTime>\
     <locale>en</locale><messageLocale>en</messageLocale></returnval>"
        .to_owned()
}
