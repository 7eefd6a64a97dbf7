rule evaluation:
    input:
        unpack(job.evaluated),
        **job.made_by("evaluation"),
    output:
        **leaves("evaluation"),
    log:
        log_of("evaluation"),
    conda:
        "../../envs/matlabel.yaml"
    resources:
        **job.resources(),
    params:
        code=job.digest("evaluation"),
        options=job.options("held_out", "masks", folders=STAGES),
    shell:
        "matlabel evaluation --settings {input.settings} --dataset {input.list} {params.options}"
        " --out {output.main} --code {params.code} > {log} 2>&1"
